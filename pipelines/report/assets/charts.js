/* The curves: SVG drawn for the width at hand, with a read-out under the pointer or the arrow keys. */
const HEIGHT_PX = 220;
const MARGIN_PX = { top: 10, right: 12, bottom: 36, left: 52 };

function svg(name, attributes, text) {
  const element = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  if (text !== undefined) element.textContent = text;
  return element;
}

function compact(value) {
  if (value === 0) return "0";
  const size = Math.abs(value);
  if (size >= 1e12 || size < 1e-3) return value.toExponential(1).replace("e+", "e").replace(".0", "");
  for (const [unit, sign] of [[1e9, "G"], [1e6, "M"], [1e4, "k"]]) {
    if (size >= unit) return `${Number((value / (sign === "k" ? 1e3 : unit)).toPrecision(4))}${sign}`;
  }
  return String(Number(value.toPrecision(4)));
}

function niceTicks(low, high, wanted) {
  const rough = (high - low) / wanted;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((candidate) => candidate >= rough);
  const ticks = [];
  for (let index = Math.ceil(low / step - 1e-9); index * step <= high + step * 1e-9; index += 1) ticks.push(Number((index * step).toPrecision(12)));
  return ticks;
}

function logTicks(low, high) {
  const factors = high / low > 3e3 ? [1] : high / low > 60 ? [1, 3] : high / low > 20 ? [1, 2, 5] : [1, 1.5, 2, 3, 4, 5, 6, 7, 8];
  const ticks = [];
  for (let power = Math.floor(Math.log10(low)); power <= Math.log10(high); power += 1) {
    for (const factor of factors) {
      const tick = Number((factor * 10 ** power).toPrecision(6));
      if (tick >= low && tick <= high) ticks.push(tick);
    }
  }
  const stride = Math.ceil(ticks.length / 6);
  return ticks.filter((_, index) => index % stride === 0);
}

class Chart {
  constructor(figure) {
    this.plot = figure.querySelector(".plot");
    this.series = JSON.parse(figure.querySelector(".chart-data").textContent).map((series, index) => ({ ...series, colour: `c${index % 8}`, visible: true }));
    this.log = false;
    this.logButton = figure.querySelector("[data-log]");
    this.logButton.disabled = !this.series.some((series) => series.raw.some((value) => value > 0));
    this.logButton.addEventListener("click", () => {
      this.log = !this.log;
      this.logButton.setAttribute("aria-pressed", String(this.log));
      this.draw();
    });
    for (const button of figure.querySelectorAll("[data-series]")) {
      button.addEventListener("click", () => {
        const series = this.series[Number(button.dataset.series)];
        series.visible = !series.visible;
        button.setAttribute("aria-pressed", String(series.visible));
        this.draw();
      });
    }
    this.plot.addEventListener("pointermove", (event) => this.point(event.clientX - this.plot.getBoundingClientRect().left));
    this.plot.addEventListener("pointerleave", () => this.clear());
    this.plot.addEventListener("blur", () => this.clear());
    this.plot.addEventListener("keydown", (event) => this.key(event));
    new ResizeObserver(() => this.draw()).observe(this.plot);
  }

  usable(value) {
    return value !== null && (!this.log || value > 0);
  }

  /* The range holds all of the smooth curves, and the raw ones but for the rarest spikes. */
  range() {
    const values = [];
    for (const series of this.shown()) {
      const raw = series.raw.filter((value) => this.usable(value)).sort((one, other) => one - other);
      const cut = series.smooth ? Math.floor(raw.length * 0.01) : 0;
      values.push(...raw.slice(cut, raw.length - cut), ...(series.smooth ?? []).filter((value) => this.usable(value)));
    }
    if (!values.length) return null;
    let low = Math.min(...values);
    let high = Math.max(...values);
    if (low === high) [low, high] = this.log ? [low / 2, high * 2] : [low - (Math.abs(low) || 1) * 0.1, high + (Math.abs(high) || 1) * 0.1];
    const pad = (this.log ? Math.log(high / low) : high - low) * 0.04;
    return this.log ? [low * Math.exp(-pad), high * Math.exp(pad)] : [low >= 0 ? Math.max(0, low - pad) : low - pad, high + pad];
  }

  shown() {
    return this.series.filter((series) => series.visible && series.x.length);
  }

  draw() {
    const width = this.plot.clientWidth;
    if (!width) return;
    this.plot.replaceChildren();
    const root = svg("svg", { viewBox: `0 0 ${width} ${HEIGHT_PX}`, "aria-hidden": "true" });
    this.plot.append(root);
    this.root = root;
    const range = this.range();
    this.ready = Boolean(range);
    if (!range) {
      root.append(svg("text", { x: width / 2, y: HEIGHT_PX / 2, "text-anchor": "middle" }, "Nothing to draw"));
      return;
    }
    this.scales(width, range);
    this.axes(width, range);
    for (const series of this.shown()) this.curve(series);
    this.overlay = root.appendChild(svg("g", {}));
  }

  scales(width, [low, high]) {
    const positions = this.shown().flatMap((series) => [series.x[0], series.x.at(-1)]);
    this.last = Math.max(...positions);
    this.first = Math.min(...positions);
    if (this.first < this.last * 0.2) this.first = 0;
    this.left = MARGIN_PX.left;
    this.right = width - MARGIN_PX.right;
    const bottom = HEIGHT_PX - MARGIN_PX.bottom;
    const place = this.log ? Math.log : (value) => value;
    const span = place(high) - place(low);
    this.toX = (images) => this.left + (this.last === this.first ? 0.5 : (images - this.first) / (this.last - this.first)) * (this.right - this.left);
    this.toY = (value) => bottom - ((place(value) - place(low)) / span) * (bottom - MARGIN_PX.top);
  }

  axes(width, [low, high]) {
    const bottom = HEIGHT_PX - MARGIN_PX.bottom;
    for (const tick of this.log ? logTicks(low, high) : niceTicks(low, high, 5)) {
      const y = this.toY(tick);
      this.root.append(svg("line", { class: "grid", x1: this.left, x2: this.right, y1: y, y2: y }));
      this.root.append(svg("text", { x: this.left - 8, y: y + 4, "text-anchor": "end" }, compact(tick)));
    }
    const across = this.last > this.first ? niceTicks(this.first, this.last, Math.max(2, Math.floor(width / 90))) : [this.first];
    for (const tick of across) {
      const x = this.toX(tick);
      const anchor = x > this.right - 14 ? "end" : "middle";
      this.root.append(svg("line", { class: "grid", x1: x, x2: x, y1: bottom, y2: bottom + 4 }));
      this.root.append(svg("text", { x: anchor === "end" ? this.right : x, y: bottom + 17, "text-anchor": anchor }, compact(tick)));
    }
    this.root.append(svg("text", { x: (this.left + this.right) / 2, y: HEIGHT_PX - 4, "text-anchor": "middle" }, "images seen"));
  }

  curve(series) {
    const clip = svg("svg", { x: this.left - 4, y: 0, width: this.right - this.left + 8, height: HEIGHT_PX - MARGIN_PX.bottom + 1, viewBox: `${this.left - 4} 0 ${this.right - this.left + 8} ${HEIGHT_PX - MARGIN_PX.bottom + 1}` });
    this.root.append(clip);
    if (series.smooth) clip.append(svg("path", { class: `raw ${series.colour}`, d: this.path(series.x, series.raw) }));
    clip.append(svg("path", { class: `curve ${series.colour}`, d: this.path(series.x, series.smooth ?? series.raw) }));
    if (series.x.length > 40) return;
    series.raw.forEach((value, index) => {
      if (this.usable(value)) clip.append(svg("circle", { class: `dot ${series.colour}`, r: 3.5, cx: this.toX(series.x[index]), cy: this.toY(value) }));
    });
  }

  path(positions, values) {
    let pen = "M";
    return values.map((value, index) => {
      if (!this.usable(value)) {
        pen = "M";
        return "";
      }
      const part = `${pen}${this.toX(positions[index]).toFixed(1)},${this.toY(value).toFixed(1)}`;
      pen = "L";
      return part;
    }).join("");
  }

  clear() {
    this.overlay?.replaceChildren();
    this.plot.querySelector(".readout")?.remove();
  }

  key(event) {
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (!step || !this.ready) return;
    event.preventDefault();
    this.point(Math.min(this.right, Math.max(this.left, (this.at ?? this.left) + step * (this.right - this.left) / 50)));
  }

  /* All curves at the position nearest to `x` pixels: of every curve the point nearest to it. */
  point(x) {
    if (!this.ready) return;
    this.clear();
    this.at = x;
    const images = this.first + ((x - this.left) / (this.right - this.left)) * (this.last - this.first);
    const points = this.shown().map((series) => {
      const index = series.x.reduce((best, position, candidate) => (Math.abs(position - images) < Math.abs(series.x[best] - images) ? candidate : best), 0);
      return { series, images: series.x[index], value: (series.smooth ?? series.raw)[index] };
    });
    const nearest = points.reduce((best, candidate) => (Math.abs(candidate.images - images) < Math.abs(best.images - images) ? candidate : best));
    const cursor = this.toX(nearest.images);
    this.overlay.append(svg("line", { class: "cursor", x1: cursor, x2: cursor, y1: MARGIN_PX.top, y2: HEIGHT_PX - MARGIN_PX.bottom }));
    for (const point of points) {
      if (this.usable(point.value)) this.overlay.append(svg("circle", { class: `dot ${point.series.colour}`, r: 4, cx: this.toX(point.images), cy: this.toY(point.value) }));
    }
    this.readOut(nearest.images, points, cursor);
  }

  readOut(images, points, cursor) {
    const box = Object.assign(document.createElement("div"), { className: "readout" });
    const line = (...parts) => {
      const row = document.createElement("div");
      row.append(...parts);
      box.append(row);
    };
    line(`${images.toLocaleString("en")} images`);
    for (const { series, value } of points) {
      const swatch = Object.assign(document.createElement("i"), { className: `swatch ${series.colour}` });
      const figure = Object.assign(document.createElement("b"), { textContent: value === null ? "not finite" : String(Number(value.toPrecision(4))) });
      line(swatch, `${series.name} `, figure);
    }
    this.plot.append(box);
    const left = cursor + 12 + box.offsetWidth > this.plot.clientWidth ? cursor - 12 - box.offsetWidth : cursor + 12;
    box.style.left = `${Math.max(0, left)}px`;
  }
}

for (const figure of document.querySelectorAll(".chart")) new Chart(figure);
