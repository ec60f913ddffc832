// The page: takes the lines' snapshots from the event stream, fills figures and tables, and keeps the belts moving.

import { Belt } from "./belt.js";

const lines = [];
const calm = matchMedia("(prefers-reduced-motion: reduce)");

const whole = (value) => value.toLocaleString("en");
const milliseconds = (value) => (value === null ? "–" : `${value.toFixed(value < 10 ? 1 : 0)} ms`);
const percent = (right, all) => (all ? `${(Math.floor((1000 * right) / all) / 10).toFixed(1)} %` : "–");

function element(name, text, className) {
  const made = document.createElement(name);
  made.textContent = text;
  if (className) made.className = className;
  return made;
}

class Line {
  constructor(index) {
    const article = document.getElementById("line").content.cloneNode(true).firstElementChild;
    document.getElementById("lines").append(article);
    this.parts = {};
    for (const part of article.querySelectorAll("*")) {
      for (const name of Object.keys(part.dataset)) this.parts[name] = part;
    }
    this.index = index;
    this.article = article;
    this.belt = new Belt(this.parts.belt, index);
    this.snapshot = null;
    this.pace = 1;
    this.shown = "";
  }

  take(snapshot, seconds) {
    if (this.snapshot) {
      // How fast the line's clock runs beside ours: a line may be shown at twice its speed, or skip its waiting.
      const passed = seconds - this.at;
      if (passed > 0) this.pace += 0.2 * ((snapshot.time - this.snapshot.time) / passed - this.pace);
    }
    this.snapshot = snapshot;
    this.at = seconds;
    const moving = snapshot.travel;
    for (const marble of snapshot.marbles) marble.held = snapshot.jammed;
    this.belt.take(snapshot, seconds);
    this.article.dataset.travel = moving.toFixed(1);
    this.tell(snapshot);
    this.tellKinds(snapshot);
    this.tellLast(snapshot);
  }

  draw(seconds) {
    if (!this.snapshot) return;
    const ahead = calm.matches ? 0 : Math.min(seconds - this.at, 0.25) * Math.min(this.pace, 4) * this.snapshot.speed;
    this.belt.draw(this.snapshot, this.snapshot.travel + ahead, seconds);
  }

  set(name, text, className = "") {
    const part = this.parts[name];
    if (part.textContent !== text) part.textContent = text;
    if (part.className !== className) part.className = className;
  }

  tell(snapshot) {
    const { counts } = snapshot;
    const faults = Object.entries(snapshot.faults).map(([part, fault]) => `${part} ${fault}`);
    const [state, mood] = snapshot.jammed
      ? ["Jammed before the arm", "bad"]
      : !snapshot.running
        ? ["Belt stopped", "bad"]
        : faults.length
          ? [`Broken: ${faults.join(", ")}`, "bad"]
          : ["Running", "good"];
    this.set("name", snapshot.name);
    this.set("state", state, `state ${mood}`);
    const extra = Object.entries(snapshot.extra);
    if (JSON.stringify(extra) !== this.shown) {
      this.shown = JSON.stringify(extra);
      this.parts.extra.replaceChildren(
        ...extra.map(([name, value]) => {
          const pair = document.createElement("div");
          pair.append(element("dt", name), element("dd", value));
          return pair;
        }),
      );
    }
    this.set("right", percent(counts.right, counts.sorted));
    this.set("sorted", whole(counts.sorted));
    this.set("rate", `${snapshot.rate.toFixed(2)} /s`);
    this.set("p50", milliseconds(snapshot.latency.p50));
    this.set("p99", milliseconds(snapshot.latency.p99));
    this.set("speed", `${snapshot.speed.toFixed(0)} mm/s`);
    for (const name of ["late", "unasked", "jams"]) this.set(name, whole(counts[name]), counts[name] ? "bad" : "");
    for (const name of ["doubles", "stops"]) this.set(name, whole(counts[name]));
    this.parts.belt.setAttribute(
      "aria-label",
      `${snapshot.name}: ${snapshot.marbles.length} marbles on the belt, ok bin ${snapshot.bins.ok.ok + snapshot.bins.ok.ko}, ` +
        `ko bin ${snapshot.bins.ko.ok + snapshot.bins.ko.ko}`,
    );
  }

  tellKinds({ bins, kinds }) {
    const rows = [
      ["ok marbles", "ok", bins.ok.ok, bins.ko.ok, true],
      ["ko marbles", "ko", bins.ok.ko, bins.ko.ko, true],
      ...Object.entries(kinds).map(([kind, told]) => [kind, told.label, told.ok, told.ko, false]),
    ];
    const body = this.parts.kinds;
    while (body.rows.length > rows.length) body.deleteRow(-1);
    rows.forEach(([name, label, ok, ko, sum], number) => {
      const row = body.rows[number] || body.insertRow();
      if (!row.cells.length) {
        row.append(element("th", ""), element("td", ""), element("td", ""));
        row.cells[0].scope = "row";
      }
      row.className = sum ? "sum" : "";
      for (const [cell, value, bin] of [[row.cells[1], ok, "ok"], [row.cells[2], ko, "ko"]]) {
        cell.textContent = whole(value);
        cell.className = bin === label ? "right" : value ? "wrong" : "none";
      }
      row.cells[0].textContent = name;
    });
  }

  tellLast(snapshot) {
    const list = this.parts.last;
    const newest = snapshot.fallen.slice().reverse();
    const all = snapshot.counts.sorted - snapshot.counts.right;
    this.set("wrong", all ? `${whole(all)} in the wrong bin so far` : "");
    const key = newest.map((fallen) => fallen.number).join();
    if (list.dataset.key === key) return;
    list.dataset.key = key;
    const old = new Map([...list.children].map((item) => [item.dataset.number, item]));
    list.replaceChildren(...newest.map((fallen) => old.get(String(fallen.number)) || this.lastOne(fallen)));
  }

  lastOne(fallen) {
    const item = document.createElement("li");
    item.dataset.number = fallen.number;
    const right = fallen.bin === fallen.label;
    item.className = `${fallen.bin} ${right ? "right" : "wrong"}`;
    const why = fallen.hand ? ", by hand" : fallen.late ? ", late" : "";
    item.title = `No. ${fallen.number}, ${fallen.kind}: belongs to ${fallen.label}, lies in ${fallen.bin}${why}`;
    if (fallen.photo) {
      const image = new Image(44, 44);
      image.src = `photos/${this.index}/${fallen.number}.jpg`;
      image.alt = item.title;
      item.append(image);
    } else {
      item.append(element("span", "?", "unseen"));
    }
    item.append(element("b", right ? fallen.bin : `${fallen.bin} !`));
    return item;
  }
}

function frame(milliseconds) {
  for (const line of lines) line.draw(milliseconds / 1000);
  requestAnimationFrame(frame);
}

const link = document.getElementById("link");
const events = new EventSource("events");
events.onmessage = (event) => {
  const snapshots = JSON.parse(event.data);
  const seconds = performance.now() / 1000;
  while (lines.length < snapshots.length) lines.push(new Line(lines.length));
  snapshots.forEach((snapshot, index) => lines[index].take(snapshot, seconds));
  const all = snapshots.reduce((sum, snapshot) => sum + snapshot.counts.sorted, 0);
  const right = snapshots.reduce((sum, snapshot) => sum + snapshot.counts.right, 0);
  document.getElementById("lead").textContent =
    `${whole(all)} marbles sorted on ${snapshots.length} ${snapshots.length === 1 ? "line" : "lines"}, ` +
    `${percent(right, all)} in the right bin`;
  link.textContent = "live";
  link.className = "link good";
};
events.onerror = () => {
  link.textContent = "offline";
  link.className = "link bad";
};
requestAnimationFrame(frame);
