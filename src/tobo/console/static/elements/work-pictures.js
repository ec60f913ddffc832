// The pictures that come next, loaded and decoded before they are shown; and how long the step to the next one takes.

const PATIENCE = 600; // frames

export class Pictures {
  /** @type {Map<string, HTMLImageElement>} */
  held = new Map();

  /** Loads these and lets go of the others. @param {string[]} sources */
  keep(sources) {
    for (const source of this.held.keys()) if (!sources.includes(source)) this.held.delete(source);
    for (const source of sources) {
      if (this.held.has(source)) continue;
      const picture = new Image();
      picture.src = source;
      picture.decode().catch(() => undefined); // told when it is shown
      this.held.set(source, picture);
    }
  }

  get ready() {
    return [...this.held.values()].every((picture) => picture.complete);
  }
}

/** A performance entry "work:next" from `begin` until what `there` waits for was painted. @param {number} begin in ms of performance.now() @param {() => boolean} there */
export function measureStep(begin, there) {
  let frames = 0;
  const painted = () => {
    frames += 1;
    if (!there()) return frames < PATIENCE && requestAnimationFrame(painted);
    const channel = new MessageChannel(); // its message comes after the frame was handed over
    channel.port1.onmessage = () => performance.measure("work:next", { start: begin, end: performance.now() });
    channel.port2.postMessage(0);
  };
  requestAnimationFrame(painted);
}

/** Whether a picture that did not come is broken, or only the way to it is. @param {string} source */
export async function isBroken(source) {
  try {
    const answer = await fetch(source, { cache: "reload", headers: { "HX-Request": "true" } });
    return answer.ok || (answer.status >= 400 && answer.status < 500 && answer.status !== 401);
  } catch {
    return false; // the server is away
  }
}
