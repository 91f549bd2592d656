// A map of very many points. Mounted twice: once with the points (bytes, see ad_core/map_canvas.py), which change
// seldom, and once with what is marked on them (JSON), which changes often and is small.
const VIEWS = new Map(), MARKS = new Map(); // by the stamp of the map
const STEPS = 65535, CELLS = 256, REACH = 9, MOST_CORNERS = 300, FARTHEST = 80;
const ALERT = "#E0702C", CHOSEN = "#8468B5", MUTED = "#8FA3A8"; // as in ad_core/figures.py
const TOOLS = { lasso: "Lasso", box: "Box", move: "Move" };

export default function (component) {
  const { data, parentElement: root } = component;
  if (!(data instanceof Uint8Array)) {
    MARKS.set(data.map, data);
    VIEWS.get(data.map)?.repaint();
    return;
  }
  root.view ??= new View(root);
  root.view.tell = component;
  root.view.load(data);
  return () => root.view.close();
}

class View {
  constructor(root) {
    this.box = el("div", "map", root);
    const tools = el("div", "tools", this.box);
    this.tools = Object.entries(TOOLS).map(([name, text]) => button(tools, text, () => this.use(name), name));
    button(tools, "+", () => this.zoom(1.5), "", "Zoom in");
    button(tools, "−", () => this.zoom(1 / 1.5), "", "Zoom out");
    button(tools, "Whole map", () => this.whole());
    this.clear = button(tools, "Clear selection", () => this.select(null));
    this.field = el("div", "field", this.box);
    this.base = el("canvas", "base", this.field);
    this.over = el("canvas", "over", this.field);
    this.tip = el("div", "tip", this.field);
    this.tip.hidden = true;
    this.legend = el("div", "legend", this.box);
    el("div", "hint", this.box).textContent = "Drag to draw around points, click a point to select it, Ctrl + wheel zooms.";
    this.base.setAttribute("aria-hidden", "true");
    this.over.setAttribute("role", "img");
    this.over.tabIndex = 0;
    this.polygon = this.drawing = null;
    listen(this);
    this.use("lasso");
    this.sized = new ResizeObserver(() => this.fit());
    this.sized.observe(this.field);
  }

  close() {
    this.sized.disconnect();
    VIEWS.delete(this.stamp);
  }

  load(data) {
    const began = performance.now();
    const bytes = data.slice(); // a copy begins at a multiple of four, as the numbers in it must
    const length = new DataView(bytes.buffer).getUint32(0, true);
    const head = JSON.parse(new TextDecoder().decode(bytes.subarray(4, 4 + length)));
    const part = {};
    let at = 4 + length;
    for (const [name, size] of head.sections) {
      part[name] = bytes.buffer.slice(at, at + size);
      at += size;
    }
    this.head = head;
    this.score = new Float32Array(part.score);
    this.value = part.value ? new Float32Array(part.value) : null;
    this.place = new Uint16Array(part.place);
    this.code = new Uint8Array(part.code);
    this.mark = new Uint8Array(part.mark);
    this.ids = null;
    this.pictures?.close();
    this.pictures = part.sheet ? new Pictures(part, head.grid) : null;
    unpacked(part.ids).then(async (text) => {
      this.ids = text.split("\n");
      await this.pictures?.ready;
      this.box.dataset.ready = head.n;
    });
    this.over.setAttribute("aria-label", head.alt);
    if (this.stamp !== head.map) {
      VIEWS.delete(this.stamp);
      this.stamp = head.map;
      this.polygon = null;
      this.index();
      this.whole(false);
    }
    VIEWS.set(this.stamp, this);
    this.colours();
    this.fit();
    this.box.dataset.drawnMs = Math.round(performance.now() - began);
  }

  // points sorted into a grid of cells, to find the one below the mouse
  index() {
    const { place } = this, n = this.head.n, first = new Uint32Array(CELLS * CELLS + 1), sorted = new Uint32Array(n);
    const cell = (i) => (place[2 * i] >> 8) + CELLS * (place[2 * i + 1] >> 8);
    for (let i = 0; i < n; i++) first[cell(i) + 1]++;
    for (let c = 0; c < CELLS * CELLS; c++) first[c + 1] += first[c];
    const next = first.slice();
    for (let i = 0; i < n; i++) sorted[next[cell(i)]++] = i;
    Object.assign(this, { first, sorted });
  }

  colours() {
    const style = getComputedStyle(this.box), brush = this.over.getContext("2d");
    const css = (name) => style.getPropertyValue(`--st-${name}`).trim();
    const hex = (colour) => { brush.fillStyle = colour; return brush.fillStyle; }; // a theme may name a colour otherwise
    this.theme = { back: hex(css("background-color")), line: hex(css("primary-color")), text: hex(css("text-color")), chosen: CHOSEN };
    const groups = this.head.tints.length, stops = css("chart-sequential-colors").split(",").map(hex);
    this.palette = new Uint32Array(256).fill(packedColour(MUTED));
    if (groups) this.head.tints.forEach((tint, i) => { this.palette[i] = packedColour(tint); });
    else for (let i = 0; i < 255; i++) this.palette[i] = packedColour(between(stops, i / 254));
    this.legend.replaceChildren();
    const byAlert = this.head.title === "alert"; // then the diamond says it all
    if (groups) this.head.names.forEach((name, i) => byAlert && i || this.entry("", this.head.tints[i], name));
    else {
      const bar = this.entry("scale", "", `${this.head.title} ${number(this.head.scale[0])} to ${number(this.head.scale[1])}`);
      bar.style.background = `linear-gradient(90deg, ${stops.join(",")})`;
    }
    if (this.head.alerts) this.entry("alert", groups && !byAlert ? this.theme.text : ALERT, `alert (${this.head.alerts.toLocaleString("en")})`);
    if (this.head.far) this.entry("ring", this.head.farTint, `${this.head.farWords} (${this.head.far.toLocaleString("en")})`);
  }

  entry(kind, colour, text) {
    const line = el("span", "", this.legend), sign = el("i", kind, line);
    if (kind) sign.style.borderColor = colour;
    else sign.style.background = colour;
    line.append(text);
    return sign;
  }

  // where the points are on the screen: x = left + step * across, in pixels of the device
  fit() {
    const sharp = Math.min(window.devicePixelRatio || 1, 2), wide = this.field.clientWidth, high = this.field.clientHeight;
    if (!wide || !this.head) return;
    this.sharp = sharp;
    for (const canvas of [this.base, this.over]) {
      canvas.width = Math.round(wide * sharp);
      canvas.height = Math.round(high * sharp);
    }
    const { width, height } = this.base, rim = 24 * sharp, [w, h] = this.head.size;
    let across = (width - 2 * rim) / w, up = (height - 2 * rim) / h;
    if (this.head.equal) across = up = Math.min(across, up);
    const { k, x, y } = this.look; // k times as large, with this share of the map in the middle
    this.across = (across * w * k) / STEPS;
    this.up = (up * h * k) / STEPS;
    this.left = width / 2 - x * STEPS * this.across;
    this.bottom = height / 2 + y * STEPS * this.up;
    this.draw();
    this.repaint();
  }

  whole(now = true) {
    this.look = { k: 1, x: 0.5, y: 0.5 };
    if (now) this.fit();
  }

  zoom(times, at) {
    const k = Math.min(FARTHEST, Math.max(0.8, this.look.k * times)), by = 1 - this.look.k / k;
    const [x, y] = at ? this.steps(at) : [this.look.x * STEPS, this.look.y * STEPS];
    this.look = { k, x: this.look.x + (x / STEPS - this.look.x) * by, y: this.look.y + (y / STEPS - this.look.y) * by };
    this.fit();
  }

  shift(dx, dy) {
    this.look.x -= dx / (this.across * STEPS);
    this.look.y += dy / (this.up * STEPS);
    this.fit();
  }

  steps([px, py]) { return [(px - this.left) / this.across, (this.bottom - py) / this.up]; }
  screen([x, y]) { return [this.left + x * this.across, this.bottom - y * this.up]; }
  screenOf(i) { return this.screen([this.place[2 * i], this.place[2 * i + 1]]); }

  // pixels are set by hand: half a million arcs take seconds, this takes a twentieth of one
  draw() {
    const { width, height } = this.base, context = this.base.getContext("2d");
    const image = context.createImageData(width, height), pixels = new Uint32Array(image.data.buffer);
    pixels.fill(packedColour(this.theme.back));
    const size = (this.head.n > 2e5 ? 1.2 : this.head.n > 5e4 ? 1.6 : 2.2) * Math.min(2.2, Math.sqrt(this.look.k)) * this.sharp;
    this.stamped(pixels, width, height, stamp(size, width, false), 0);
    if (this.head.alerts) {
      const rim = this.head.tints.length ? null : packedColour(ALERT);
      this.stamped(pixels, width, height, stamp(Math.max(1.9 * size, (this.head.alerts > 2000 ? 2 : 3) * this.sharp), width, true), 1, rim);
    }
    context.putImageData(image, 0, 0);
    if (this.head.far) {
      const radius = Math.max(2.4 * size, 6 * this.sharp);
      for (const [colour, wide] of [[this.theme.back, 4], [this.head.farTint, 2]]) { // light around it: crowds are dark
        context.strokeStyle = colour;
        context.lineWidth = wide * this.sharp;
        for (let i = 0; i < this.head.n; i++) {
          if (this.mark[i] & 2) ring(context, this.screenOf(i), radius);
        }
      }
    }
  }

  stamped(pixels, width, height, { offsets, alphas, rims, reach }, alert, rim = null) {
    const { place, code, mark, palette, left, bottom, across, up } = this, n = this.head.n;
    for (let i = 0; i < n; i++) {
      if ((mark[i] & 1) !== alert) continue;
      const px = Math.round(left + place[2 * i] * across), py = Math.round(bottom - place[2 * i + 1] * up);
      if (px < reach || py < reach || px >= width - reach || py >= height - reach) continue;
      const at = py * width + px, own = palette[code[i]];
      for (let j = 0; j < offsets.length; j++) {
        const colour = rim !== null && rims[j] ? rim : own, a = alphas[j], old = pixels[at + offsets[j]], b = 256 - a;
        const rb = ((colour & 0xff00ff) * a + (old & 0xff00ff) * b) >>> 8, g = ((colour & 0xff00) * a + (old & 0xff00) * b) >>> 8;
        pixels[at + offsets[j]] = 0xff000000 | (rb & 0xff00ff) | (g & 0xff00);
      }
    }
  }

  // what lies above the points: the line of the selection, the current case
  repaint(hovered = -1) {
    if (!this.theme) return;
    const context = this.over.getContext("2d"), marks = MARKS.get(this.stamp) ?? {};
    context.clearRect(0, 0, this.over.width, this.over.height);
    const line = this.drawing ?? this.polygon?.map((corner) => this.screen(corner));
    if (line && line.length > 1) {
      context.beginPath();
      line.forEach((corner) => context.lineTo(...corner));
      context.closePath();
      context.fillStyle = this.theme.line + "1f";
      context.strokeStyle = this.theme.line;
      context.lineWidth = 1.5 * this.sharp;
      context.setLineDash([5 * this.sharp, 3 * this.sharp]);
      context.fill();
      context.stroke();
      context.setLineDash([]);
    }
    context.lineWidth = 3 * this.sharp;
    context.strokeStyle = this.theme.chosen;
    if (marks.chosen >= 0) ring(context, this.screenOf(marks.chosen), 10 * this.sharp);
    context.lineWidth = 1.5 * this.sharp;
    context.strokeStyle = this.theme.text;
    if (hovered >= 0) ring(context, this.screenOf(hovered), 7 * this.sharp);
    this.clear.hidden = !this.polygon;
  }

  // the nearest point within a few pixels, an alert sooner than another; -1 = none
  pick(at) {
    const [x, y] = this.steps(at), reach = REACH * this.sharp;
    const cell = (v) => Math.min(CELLS - 1, Math.max(0, Math.floor(v / 256)));
    const x0 = cell(x - reach / this.across), x1 = cell(x + reach / this.across);
    const y0 = cell(y - reach / this.up), y1 = cell(y + reach / this.up);
    let best = reach, found = -1;
    for (let cy = y0; cy <= y1; cy++) {
      for (let j = this.first[CELLS * cy + x0]; j < this.first[CELLS * cy + x1 + 1]; j++) {
        const i = this.sorted[j], [px, py] = this.screenOf(i);
        const far = Math.hypot(px - at[0], py - at[1]) * (this.mark[i] ? 0.6 : 1);
        if (far < best) [best, found] = [far, i];
      }
    }
    return found;
  }

  hover(at) {
    const i = at && this.ids ? this.pick(at) : -1;
    this.repaint(i);
    this.tip.hidden = i < 0;
    if (i < 0) return;
    const said = [this.ids[i], `score ${number(this.score[i])}`];
    if (this.value) said.push(`${this.head.title} ${number(this.value[i])}`);
    else if (this.head.names.length) said.push(this.head.names[this.code[i]]);
    if (this.mark[i] & 2) said.push(`${this.head.farWords}: trust the score, not the place`);
    this.tip.textContent = said.join("\n");
    this.pictures?.show(i, this.tip);
    const [px, py] = this.screenOf(i).map((v) => v / this.sharp), right = px > this.field.clientWidth / 2;
    this.tip.style.left = right ? "" : `${px + 12}px`;
    this.tip.style.right = right ? `${this.field.clientWidth - px + 12}px` : "";
    this.tip.style.top = `${Math.max(0, Math.min(py - 12, this.field.clientHeight - this.tip.offsetHeight))}px`;
  }

  use(name) {
    this.tool = name;
    this.tools.forEach((one) => one.setAttribute("aria-pressed", String(one.dataset.tool === name)));
    this.over.style.cursor = name === "move" ? "grab" : "crosshair";
  }

  // corners in the data's own coordinates are all that goes up; null = nothing is selected
  select(polygon) {
    this.polygon = polygon;
    this.repaint();
    const { low, size } = this.head;
    const told = polygon?.map(([x, y]) => [low[0] + (x / STEPS) * size[0], low[1] + (y / STEPS) * size[1]]) ?? null;
    this.tell.setStateValue("polygon", told);
  }
}
