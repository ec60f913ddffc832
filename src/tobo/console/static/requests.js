// Requests to the console's own addresses: the session's token on each change, a sentence for each failure.

export const ROOT = "/_tobo/console";

export function csrfToken() {
  return document.querySelector('meta[name="csrf-token"]')?.getAttribute("content") ?? "";
}

/** Why something did not work, in the server's words. */
export class Refused extends Error {}

/** @param {string} address @param {RequestInit} [options] @returns {Promise<Response>} raises Refused */
export async function ask(address, options = {}) {
  const headers = new Headers(options.headers);
  headers.set("HX-Request", "true");
  if (options.method === "POST") headers.set("X-CSRF-Token", csrfToken());
  /** @type {Response} */
  let answer;
  try {
    answer = await fetch(address, { ...options, headers });
  } catch {
    throw new Refused("The server does not answer; is it still running?");
  }
  if (answer.status === 401) location.reload();
  if (!answer.ok) throw new Refused(sentence(await answer.text()) || `The server answered ${answer.status}.`);
  return answer;
}

/** The text of a refusal. @param {string} html */
export function sentence(html) {
  const parsed = new DOMParser().parseFromString(html, "text/html");
  const whole = parsed.querySelector(".refusal details"); // a long one is shown by its beginning
  whole?.querySelector("summary")?.remove();
  if (whole) return `${parsed.querySelector(".refusal code")?.textContent} ${whole.textContent?.trim()}`;
  return parsed.body.textContent?.trim() ?? "";
}

/** Tells something at the head of the page. @param {"good" | "bad"} tone @param {string} words */
export function tell(tone, words) {
  const notice = document.createElement("p");
  notice.className = `notice ${tone}`;
  notice.textContent = words;
  document.querySelector("#notices")?.replaceChildren(notice);
}
