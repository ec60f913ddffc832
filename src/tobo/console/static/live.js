// Live pages: one stream for the page's regions, while somebody looks.
//
// <section data-live="rows" data-depends="training-job">: the block `rows` of this page, anew when a training job changes.
// <live-chart data-live-source="/_tobo/console/.../metrics" data-depends="every:2">: gets a "live" event with the text.
import { ROOT, tell } from "./requests.js";

/** @type {EventSource | null} */
let stream = null;
let watched = ""; // the addresses of its regions

/** The elements of each address. @returns {Map<string, Element[]>} */
function regions() {
  /** @type {Map<string, Element[]>} */
  const found = new Map();
  for (const element of document.querySelectorAll("[data-live], [data-live-source]")) {
    const source = element.getAttribute("data-live-source") ?? blockAddress(element.getAttribute("data-live") ?? "");
    found.set(source, [...(found.get(source) ?? []), element]);
  }
  return found;
}

/** @param {string} block */
function blockAddress(block) {
  const query = new URLSearchParams(location.search);
  query.set("fragment", block);
  return `${location.pathname}?${query}`;
}

/** Looks at the page's regions anew: elements that came later call it. */
export function watch() {
  stream?.close();
  stream = null;
  const places = regions();
  watched = [...places.keys()].join("\n");
  if (!places.size || document.hidden) return;
  const query = new URLSearchParams();
  for (const [source, elements] of places) query.append("r", `${elements[0]?.getAttribute("data-depends")}|${source}`);
  stream = new EventSource(`${ROOT}/stream?${query}`);
  stream.addEventListener("region", (event) => show(JSON.parse(event.data)));
  stream.addEventListener("over", () => location.reload());
  stream.addEventListener("open", () => document.documentElement.removeAttribute("data-offline"));
  stream.addEventListener("error", () => document.documentElement.setAttribute("data-offline", ""));
}

/** @param {{source: string, status: number, body: string}} news */
function show(news) {
  if (news.status >= 400) {
    const parsed = new DOMParser().parseFromString(news.body, "text/html");
    tell("bad", `This page shows what was; it cannot be looked at any more. ${parsed.body.textContent?.trim() ?? ""}`);
    return;
  }
  for (const element of regions().get(news.source) ?? []) {
    if (element.hasAttribute("data-live-source")) {
      if (news.status === 200) element.dispatchEvent(new CustomEvent("live", { detail: news.body }));
      continue;
    }
    Idiomorph.morph(element, news.body, {
      morphStyle: "innerHTML",
      ignoreActiveValue: true,
      callbacks: { beforeNodeMorphed: keepChoices },
    });
    htmx.process(element); // forms that came, or whose address is another one now
    element.dispatchEvent(new CustomEvent("tobo:changed", { bubbles: true }));
  }
  if ([...regions().keys()].join("\n") !== watched) watch(); // a log or a chart has come that wants news of its own
}

/** What somebody has ticked or unfolded stays so, and what an element has drawn into itself. @param {Node} old @param {Node} fresh */
function keepChoices(old, fresh) {
  if (old instanceof HTMLElement && fresh instanceof HTMLElement && customElements.get(old.localName)) {
    const same = [...fresh.attributes].every((its) => old.getAttribute(its.name) === its.value);
    if (!same) old.replaceWith(fresh.cloneNode(true));
    return false;
  }
  if (old instanceof HTMLInputElement && fresh instanceof HTMLInputElement && old.type === "checkbox") {
    if (old.checked) fresh.setAttribute("checked", "");
  }
  const typed = old instanceof HTMLInputElement && old.type !== "checkbox" && old.value !== old.defaultValue;
  if (typed && fresh instanceof HTMLInputElement) return false;
  if (old instanceof HTMLDetailsElement && fresh instanceof HTMLDetailsElement) fresh.open = old.open;
  return true;
}

document.addEventListener("visibilitychange", watch);
addEventListener("pagehide", () => stream?.close());
watch();
