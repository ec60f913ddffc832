// The belt on a canvas: pockets and marbles, light barrier, camera, arm, the two bins. Lengths in CSS pixels.

const FALL = 0.55; // seconds from the arm to the bin
const TAU = 2 * Math.PI;

export class Belt {
  constructor(canvas, line) {
    this.canvas = canvas;
    this.line = line;
    this.context = canvas.getContext("2d");
    this.photos = new Map();
    this.falling = [];
    this.known = -1;
    this.colours = {};
    this.readColours();
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.readColours());
    new ResizeObserver(() => this.resize()).observe(canvas);
    this.resize();
  }

  readColours() {
    const style = getComputedStyle(document.documentElement);
    for (const name of ["ground", "panel", "rule", "ink", "quiet", "belt", "pocket", "metal", "ok", "ko", "bad", "beam"]) {
      this.colours[name] = style.getPropertyValue(`--${name}`).trim();
    }
  }

  resize() {
    const box = this.canvas.getBoundingClientRect();
    const ratio = devicePixelRatio || 1;
    this.width = box.width;
    this.height = box.height;
    this.canvas.width = Math.round(box.width * ratio);
    this.canvas.height = Math.round(box.height * ratio);
    this.ratio = ratio;
    this.narrow = box.width < 560;
  }

  // A new snapshot: marbles that have fallen since the last one start on their way to the bin.
  take(snapshot, seconds) {
    for (const fallen of snapshot.fallen) {
      if (fallen.number > this.known) this.falling.push({ ...fallen, since: seconds });
    }
    this.known = Math.max(this.known, ...snapshot.fallen.map((fallen) => fallen.number));
    this.falling = this.falling.filter((fallen) => seconds - fallen.since < FALL).slice(-12);
    const wanted = new Set([...snapshot.marbles, ...snapshot.fallen].map((marble) => marble.number));
    for (const number of this.photos.keys()) if (!wanted.has(number)) this.photos.delete(number);
  }

  photo(marble) {
    if (!marble.photo) return null;
    let image = this.photos.get(marble.number);
    if (!image) {
      image = new Image();
      image.src = `photos/${this.line}/${marble.number}.jpg`;
      this.photos.set(marble.number, image);
    }
    return image.complete && image.naturalWidth ? image : null;
  }

  // `travel` mm: how far the belt has run by now, a little further than when the snapshot was taken.
  draw(snapshot, travel, seconds) {
    const { context: c, width, height, narrow } = this;
    c.setTransform(this.ratio, 0, 0, this.ratio, 0, 0);
    c.clearRect(0, 0, width, height);
    const places = snapshot.places;
    const bin = { width: narrow ? 74 : Math.min(190, Math.max(130, width * 0.15)), height: Math.min(104, (height - 44) / 2) };
    const chute = narrow ? 40 : Math.min(130, Math.max(90, width * 0.1));
    const end = width - bin.width - chute - (narrow ? 2 : 12);
    const scale = Math.max(narrow ? 1.75 : 2.4, Math.min(4.6, end / (places.arm + 30)));
    const at = (mm) => end + (mm - places.arm) * scale;
    const middle = height / 2 + 4;
    const radius = (places.diameter / 2) * scale;
    const geometry = { at, scale, middle, radius, end, width, height, half: radius * 1.75, bin, chute };
    this.drawBelt(geometry, snapshot, travel);
    for (const marble of snapshot.marbles) {
      const x = at(marble.held ? marble.at : marble.at + travel - snapshot.travel);
      if (x > -radius && x < end + radius) this.drawMarble(marble, x, middle, radius);
    }
    this.drawFeeder(geometry);
    this.drawStations(geometry, snapshot);
    this.drawArm(geometry, snapshot);
    for (const fallen of this.falling) {
      const share = (seconds - fallen.since) / FALL;
      if (share < 0 || share > 1) continue;
      const towards = this.mouth(geometry, fallen.bin);
      const x = end + (towards.x - end) * share;
      const y = middle + (towards.y - middle) * share * share * (3 - 2 * share);
      this.drawMarble(fallen, x, y, radius * (1 - 0.35 * share));
    }
    // Last, so that what falls disappears behind them.
    this.drawBins(geometry, snapshot);
  }

  mouth({ width, bin, middle }, into) {
    return { x: width - bin.width + 30, y: middle + (into === "ok" ? -1 : 1) * (bin.height / 2 + 8) };
  }

  drawBelt({ at, scale, middle, radius, end, half }, snapshot, travel) {
    const c = this.context;
    c.fillStyle = this.colours.belt;
    c.beginPath();
    c.roundRect(-20, middle - half, end + 20, 2 * half, [0, 9, 9, 0]);
    c.fill();
    const { pitch } = snapshot.places;
    const first = ((travel % pitch) + pitch) % pitch;
    c.strokeStyle = this.colours.pocket;
    c.lineWidth = 1;
    for (let mm = first; at(mm) < end + radius; mm += pitch) {
      if (at(mm + pitch / 2) < end - 4) {
        c.beginPath();
        c.moveTo(at(mm + pitch / 2), middle - half + 3);
        c.lineTo(at(mm + pitch / 2), middle + half - 3);
        c.stroke();
      }
      if (at(mm) > end - radius) continue;
      c.fillStyle = this.colours.pocket;
      c.beginPath();
      c.arc(at(mm), middle, radius * 1.14, 0, TAU);
      c.fill();
    }
    c.fillStyle = this.colours.metal;
    for (const edge of [middle - half - 5, middle + half + 1]) c.fillRect(-20, edge, end + 16, 4);
  }

  drawFeeder({ at, middle, half }) {
    const c = this.context;
    const edge = at(0);
    if (edge < 0) return;
    c.fillStyle = this.colours.metal;
    c.beginPath();
    c.roundRect(-20, middle - half - 12, edge + 20, 2 * half + 24, [0, 8, 8, 0]);
    c.fill();
    this.label("feeder", Math.max(edge / 2, 22), middle + half + 26);
  }

  drawMarble(marble, x, y, radius) {
    const c = this.context;
    c.save();
    c.beginPath();
    c.arc(x, y, radius, 0, TAU);
    const photo = this.photo(marble);
    if (photo) {
      c.clip();
      c.drawImage(photo, x - radius * 1.42, y - radius * 1.42, radius * 2.84, radius * 2.84);
    } else {
      c.fillStyle = marble.colour || this.colours.metal;
      c.fill();
      const shine = c.createRadialGradient(x - radius / 3, y - radius / 3, 0, x, y, radius);
      shine.addColorStop(0, "rgb(255 255 255 / 55%)");
      shine.addColorStop(0.4, "rgb(255 255 255 / 5%)");
      shine.addColorStop(1, "rgb(0 0 0 / 35%)");
      c.fillStyle = shine;
      c.fill();
    }
    c.restore();
    if (!marble.verdict) return;
    c.strokeStyle = this.colours[marble.verdict];
    c.lineWidth = Math.max(2, radius / 8);
    c.setLineDash(marble.verdict === "ok" ? [] : [radius / 3, radius / 6]);
    c.beginPath();
    c.arc(x, y, radius + 1, 0, TAU);
    c.stroke();
    c.setLineDash([]);
  }

  drawStations({ at, scale, middle, half, end }, snapshot) {
    const c = this.context;
    const { places, faults } = snapshot;
    const barrier = at(places.barrier);
    const camera = at(places.camera);
    const view = (places.view / 2) * scale;
    const broken = snapshot.marbles.some((marble) => Math.abs(marble.at - places.barrier) < places.diameter / 2);
    c.strokeStyle = faults.barrier ? this.colours.quiet : broken ? this.colours.bad : this.colours.beam;
    c.lineWidth = 1.5;
    c.beginPath();
    c.moveTo(barrier, middle - half - 9);
    c.lineTo(barrier, middle + half + 9);
    c.stroke();
    c.fillStyle = this.colours.ink;
    for (const y of [middle - half - 14, middle + half + 8]) c.fillRect(barrier - 4, y, 8, 6);
    c.strokeStyle = faults.camera ? this.colours.bad : this.colours.ink;
    c.lineWidth = 1.5;
    const corner = Math.min(10, view / 2);
    for (const [dx, dy] of [[-1, -1], [1, -1], [1, 1], [-1, 1]]) {
      const x = camera + dx * view;
      const y = middle + dy * Math.min(view, half - 2);
      c.beginPath();
      c.moveTo(x - dx * corner, y);
      c.lineTo(x, y);
      c.lineTo(x, y - dy * corner);
      c.stroke();
    }
    this.label("camera", camera, middle - half - 20, faults.camera);
    this.label(this.narrow ? "barrier" : "light barrier", this.narrow ? barrier - 12 : barrier, middle + half + 26, faults.barrier);
  }

  label(text, x, y, fault) {
    const c = this.context;
    c.font = "12px system-ui, sans-serif";
    c.textAlign = "center";
    c.textBaseline = "middle";
    c.fillStyle = fault ? this.colours.bad : this.colours.quiet;
    c.fillText(fault ? `${text}: ${fault}` : text, x, y);
  }

  drawArm(geometry, snapshot) {
    const c = this.context;
    const { end, middle, half, chute } = geometry;
    const { arm, faults } = snapshot;
    const mouth = this.mouth(geometry, "ok");
    const steepest = Math.atan2(middle - mouth.y, mouth.x - end);
    const share = arm.ok === arm.ko ? 0 : (2 * (arm.angle - arm.ko)) / (arm.ok - arm.ko) - 1;
    const long = chute * 0.82;
    c.save();
    c.translate(end + 3, middle);
    c.rotate(-share * steepest);
    c.fillStyle = this.colours.metal;
    c.beginPath();
    c.roundRect(0, -half * 0.72, long, half * 1.44, 5);
    c.fill();
    c.strokeStyle = faults.arm ? this.colours.bad : share > 0 ? this.colours.ok : this.colours.ko;
    c.lineWidth = 3;
    for (const y of [-half * 0.72, half * 0.72]) {
      c.beginPath();
      c.moveTo(0, y);
      c.lineTo(long, y);
      c.stroke();
    }
    c.restore();
    c.fillStyle = this.colours.ink;
    c.beginPath();
    c.arc(end + 3, middle, 4, 0, TAU);
    c.fill();
    this.label("arm", end + (this.narrow ? 12 : 14), middle + half + 26, faults.arm);
  }

  drawBins({ width, bin, middle }, snapshot) {
    const c = this.context;
    for (const into of ["ok", "ko"]) {
      const x = width - bin.width - 1;
      const y = into === "ok" ? middle - bin.height - 8 : middle + 8;
      const counts = snapshot.bins[into];
      const wrong = counts[into === "ok" ? "ko" : "ok"];
      c.fillStyle = this.colours.panel;
      c.strokeStyle = this.colours[into];
      c.lineWidth = 2;
      c.beginPath();
      c.roundRect(x, y, bin.width, bin.height, 8);
      c.fill();
      c.stroke();
      c.textAlign = "left";
      c.textBaseline = "alphabetic";
      c.fillStyle = this.colours[into];
      c.font = "600 13px system-ui, sans-serif";
      c.fillText(into, x + 12, y + 22);
      c.fillStyle = this.colours.ink;
      c.font = `600 ${this.narrow ? 22 : 30}px system-ui, sans-serif`;
      c.fillText(String(counts.ok + counts.ko), x + 12, y + (this.narrow ? 48 : 56));
      c.font = "12px system-ui, sans-serif";
      c.fillStyle = wrong ? this.colours.bad : this.colours.quiet;
      c.fillText(wrong ? `${wrong} wrong` : "none wrong", x + 12, y + bin.height - 12);
    }
  }
}
