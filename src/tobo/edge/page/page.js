// Asks the agent for its state four times a second and shows it; sends the two changes that may be made.
"use strict";

const byId = (id) => document.getElementById(id);
const number = (value) => value.toLocaleString("en");

const fromAddress = new URLSearchParams(location.hash.slice(1)).get("token");
if (fromAddress) {
  sessionStorage.setItem("token", fromAddress);
  history.replaceState(null, "", location.pathname);
}
const token = sessionStorage.getItem("token");

function element(tag, text, className) {
  const made = document.createElement(tag);
  if (text !== undefined) made.textContent = text;
  if (className) made.className = className;
  return made;
}

async function change(path, asked) {
  let said;
  try {
    const answer = await fetch(path, {
      method: "POST",
      headers: { "Content-Type": "application/json", "X-Tobo-Token": token },
      body: JSON.stringify(asked),
    });
    const found = await answer.json();
    if (answer.ok) show(found);
    said = answer.ok ? "" : found.message;
  } catch {
    said = "The agent does not answer.";
  }
  byId("message").textContent = said;
}

const WHY = {
  class: (part) => `${part.label} ${part.score.toFixed(2)}`,
  unknown: () => "no label counts",
  late: () => "too late",
  close: () => "too close to the one before",
  failed: () => "no picture or no scores",
  override: () => "forced",
};

function showHead(state) {
  byId("device").textContent = state.device || "tobo edge";
  document.title = state.device ? `${state.device} · tobo edge` : "tobo edge";
  const model = state.model;
  byId("model").textContent = model
    ? [state.fleet, `${model.name} ${model.version}`.trim(), model.trial ? "on trial" : ""].filter(Boolean).join(" · ")
    : "no model yet";
  const fault = !model ? "Waiting for a model: every part is ko" : state.last?.fault;
  byId("health").className = `health ${fault ? "ill" : "well"}`;
  byId("health-text").textContent = fault || "Sorting";
  const forced = state.override !== "auto";
  byId("banner").hidden = !forced;
  byId("banner").textContent = forced ? `Every part goes to ${state.override}, whatever the model says.` : "";
}

let shownFrame = null;

function showLive(state) {
  if (state.frame !== null && state.frame !== shownFrame) {
    shownFrame = state.frame;
    byId("frame").src = `/frame.jpg?n=${state.frame}`;
    byId("frame").hidden = false;
    byId("no-frame").hidden = true;
  }
  const last = state.last;
  byId("verdict").hidden = !last;
  if (last) {
    byId("verdict").textContent = last.verdict;
    byId("frame").className = last.number === state.frame ? "" : "old";
    byId("verdict").className = `verdict ${last.verdict}`;
    byId("reason").textContent = WHY[last.reason](last);
    byId("latency").textContent = last.latency_ms.toFixed(1);
    byId("scores").replaceChildren(...Object.entries(last.scores).map(([label, score]) => {
      const row = element("div", undefined, "score");
      const bar = element("span", undefined, "bar");
      const filled = element("i");
      filled.style.width = `${100 * score}%`;
      bar.append(filled);
      row.append(element("span", label), bar, element("span", score.toFixed(3)));
      return row;
    }));
  }
  for (const name of ["p50", "p99"]) {
    byId(name).textContent = state.latency_ms ? state.latency_ms[name].toFixed(1) : "–";
  }
  for (const [name, value] of Object.entries(state.counts)) byId(name).textContent = number(value);
}

function thresholdRow(label) {
  const row = element("div", undefined, "threshold");
  const name = element("label", label);
  const value = element("span");
  const reset = element("button", "Reset");
  const slider = element("input");
  Object.assign(slider, { type: "range", min: 0, max: 1, step: 0.01, id: `threshold-${label}` });
  name.htmlFor = slider.id;
  reset.type = "button";
  reset.setAttribute("aria-label", `Reset the threshold of ${label}`);
  slider.addEventListener("input", () => { value.textContent = Number(slider.value).toFixed(2); });
  slider.addEventListener("change", () => change("/threshold", { label, value: Number(slider.value) }));
  reset.addEventListener("click", () => change("/threshold", { label, value: null }));
  row.append(name, value, reset, slider);
  row.show = (threshold) => {
    if (document.activeElement === slider && slider.matches(":active")) return;
    slider.value = threshold ?? 0.5;
    value.textContent = threshold === undefined ? "highest" : threshold.toFixed(2);
  };
  slider.disabled = reset.disabled = !token;
  return row;
}

let rows = new Map();

function showControls(state) {
  const labels = state.model ? state.model.labels : [];
  if (labels.join("\n") !== [...rows.keys()].join("\n")) {
    rows = new Map(labels.map((label) => [label, thresholdRow(label)]));
    byId("thresholds").replaceChildren(...rows.values());
  }
  for (const [label, row] of rows) row.show(state.thresholds[label]);
  for (const button of document.querySelectorAll("[data-override]")) {
    button.setAttribute("aria-pressed", String(button.dataset.override === state.override));
  }
}

let shownKept = "";

function showKept(state) {
  const numbers = state.kept.map((part) => part.number).join();
  byId("no-kept").hidden = state.kept.length > 0;
  if (numbers === shownKept) return;
  shownKept = numbers;
  byId("kept").replaceChildren(...state.kept.map((part) => {
    const item = element("li");
    const picture = element("img");
    picture.src = `/kept/${part.number}.jpg`;
    picture.alt = `Part ${part.number}`;
    picture.loading = "lazy";
    const line = element("p");
    line.append(element("b", part.verdict, part.verdict), ` ${WHY[part.reason](part)}`);
    item.append(picture, line, element("p", `part ${number(part.number)}, margin ${part.margin.toFixed(2)}`, "quiet"));
    return item;
  }));
}

function showFoot(state) {
  const box = state.outbox;
  byId("outbox").textContent = box
    ? `Outbox: ${(box.bytes / 1e6).toFixed(1)} MB${box.dropped ? `, ${number(box.dropped)} dropped` : ""}` : "";
  const trouble = state.house && (state.house.updates || state.house.outbox || state.house.heartbeat);
  byId("house").textContent = state.house ? (trouble ? "No connection to the house; sorting goes on" : "Connected to the house") : "Not enrolled";
  byId("drift").textContent = state.drift === null ? "" : `Score drift: ${state.drift.toFixed(2)}`;
}

function show(state) {
  showHead(state);
  showLive(state);
  showControls(state);
  showKept(state);
  showFoot(state);
}

async function turn() {
  try {
    const answer = await fetch("/state.json");
    show(await answer.json());
  } catch {
    byId("health").className = "health ill";
    byId("health-text").textContent = "The agent does not answer";
  }
  setTimeout(turn, document.hidden ? 2000 : 250);
}

byId("locked").hidden = Boolean(token);
for (const button of document.querySelectorAll("[data-override]")) {
  button.disabled = !token;
  button.addEventListener("click", () => change("/override", { override: button.dataset.override }));
}
turn();
