// What the vendored classic scripts put on `window`.
declare const Idiomorph: {
  morph(old: Element, fresh: string | Element, options?: Record<string, unknown>): unknown;
};
declare const htmx: { process(element: Element): void };
declare const uPlot: typeof import("uplot").default;
