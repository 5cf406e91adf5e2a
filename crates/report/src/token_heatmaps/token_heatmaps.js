(() => {
"use strict";

const bytes = text => Uint8Array.from(atob(text), letter => letter.charCodeAt(0));

const make = (name, properties = {}, ...children) => {
  const element = Object.assign(document.createElement(name), properties);
  element.append(...children);
  return element;
};

const select = (label, options, change) => {
  const field = make("select");
  options.forEach(([value, text]) => field.append(make("option", { value, textContent: text })));
  field.addEventListener("change", () => change(field.value));
  return make("label", { className: "th-field" }, label + " ", field);
};

const figure = value => value === null ? "–" : Math.abs(value) >= 1000 || (value !== 0 && Math.abs(value) < 0.001)
  ? value.toExponential(2) : String(Number(value.toFixed(3)));

/** Weights of one file of data, read on demand. */
class Weights {
  constructor(data) {
    this.n = data.tokens.length;
    this.causal = data.causal;
    this.stored = bytes(data.weights);
    this.largest = new Float32Array(bytes(data.largest).buffer);
    this.perHead = this.causal ? this.n * (this.n + 1) / 2 : this.n * this.n;
  }
  at(head, row, column) {
    if (this.causal && column > row) return 0;
    const start = head * this.perHead + (this.causal ? row * (row + 1) / 2 : row * this.n);
    return this.stored[start + column] / 255 * this.largest[head * this.n + row];
  }
  most(head, row) {
    return row !== undefined ? this.largest[head * this.n + row] : this.largest.subarray(head * this.n, (head + 1) * this.n).reduce((a, b) => Math.max(a, b), 0);
  }
}

class View {
  constructor(root) {
    this.root = root;
    this.data = JSON.parse(root.querySelector("script").textContent);
    this.weights = new Weights(this.data);
    this.n = this.weights.n;
    this.count = this.data.layers * this.data.heads;
    this.dark = matchMedia("(prefers-color-scheme: dark)");
    this.shade = "root";
    this.direction = "to";
    this.head = 0;
    this.row = Math.max(0, this.n - 1);
    this.column = null;
    if (this.count === 0 || this.n === 0) {
      root.append(make("p", { textContent: "There are no weights to show." }));
      return;
    }
    this.build();
    this.dark.addEventListener("change", () => this.redraw());
    addEventListener("resize", () => this.drawMap());
    this.redraw();
  }

  name(head) {
    return `layer ${Math.floor(head / this.data.heads)}, head ${head % this.data.heads}`;
  }

  palette() {
    const colors = this.dark.matches && !matchMedia("print").matches ? this.data.dark : this.data.light;
    const numbers = colors.map(color => parseInt(color.slice(1), 16));
    return { colors, numbers };
  }

  /** The level of a weight of a head, from 0 to the number of colours less one. */
  level(weight, most, levels) {
    const share = most > 0 ? weight / most : 0;
    return Math.round((this.shade === "root" ? Math.sqrt(share) : share) * (levels - 1));
  }

  build() {
    const orders = [["", "layer and head"]];
    this.data.figures.forEach(({ label }, place) => orders.push([`${place} down`, `${label}, highest first`], [`${place} up`, `${label}, lowest first`]));
    const fields = make("div", { className: "th-fields" },
      select("Order", orders, value => this.order(value)),
      select("Shade by", [["root", "root of the weight"], ["plain", "weight"], ["row", "weight within its row"]], value => { this.shade = value; this.redraw(); }),
      select("Show what the token", [["to", "attends to"], ["from", "is attended to by"]], value => { this.direction = value; this.show(); }));
    this.grid = make("div", { className: "th-grid" });
    this.grid.setAttribute("role", "group");
    this.grid.setAttribute("aria-label", "Heads");
    this.grid.addEventListener("keydown", event => this.gridKey(event));
    this.cards = Array.from({ length: this.count }, (_, head) => this.card(head));
    this.title = make("h3", { className: "th-title" });
    this.figures = make("p", { className: "th-figures" });
    this.map = make("canvas", { className: "th-map", tabIndex: 0 });
    this.map.setAttribute("role", "application");
    this.map.addEventListener("pointermove", event => this.pointed(event));
    this.map.addEventListener("pointerdown", event => this.pointed(event));
    this.map.addEventListener("keydown", event => this.mapKey(event));
    this.status = make("p", { className: "th-status" });
    this.status.setAttribute("aria-live", "polite");
    this.text = make("p", { className: "th-text" });
    this.text.setAttribute("role", "listbox");
    this.text.setAttribute("aria-label", "Tokens");
    this.text.addEventListener("keydown", event => this.textKey(event));
    this.tokens = this.data.tokens.map((token, place) => this.token(token, place));
    const side = make("div", { className: "th-side" }, this.title, this.figures, this.text, this.status);
    this.panel = make("div", { className: "th-panel" }, make("div", { className: "th-frame" }, this.map), side);
    this.root.append(fields, this.grid, this.panel);
    this.order("");
  }

  card(head) {
    const canvas = make("canvas", { width: this.n, height: this.n });
    canvas.setAttribute("aria-hidden", "true");
    // Small maps are enlarged, whose cells then should not blur; large ones are shrunk, whose cells should.
    canvas.classList.toggle("th-crisp", this.n <= 96);
    const layer = Math.floor(head / this.data.heads);
    const card = make("button", { type: "button", className: "th-card" }, canvas, make("span", { textContent: `L${layer} H${head % this.data.heads}` }));
    const figures = this.data.figures.map(({ label, values }) => `${label} ${figure(values[head])}`);
    card.setAttribute("aria-label", [this.name(head), ...figures].join(", "));
    card.title = [this.name(head), ...figures].join("\n");
    card.addEventListener("click", () => { this.head = head; this.show(); });
    return card;
  }

  token(text, place) {
    const token = make("bdi", { className: "th-token", textContent: text, tabIndex: -1 });
    token.setAttribute("role", "option");
    token.addEventListener("pointerenter", () => this.pick(place, null));
    token.addEventListener("focus", () => { if (this.row !== place) this.pick(place, null); });
    token.addEventListener("click", () => { token.focus(); this.pick(place, null); });
    this.text.append(token);
    return token;
  }

  /** Orders the cards by a figure, or by layers, one a row. */
  order(value) {
    const heads = Array.from({ length: this.count }, (_, head) => head);
    if (value) {
      const [place, way] = value.split(" ");
      const values = this.data.figures[place].values;
      const worth = head => values[head] === null ? Infinity : (way === "up" ? 1 : -1) * values[head];
      heads.sort((a, b) => worth(a) - worth(b) || a - b);
    }
    this.across = this.data.heads;
    this.ordered = heads;
    this.grid.style.gridTemplateColumns = `repeat(${this.across}, minmax(${this.across > 16 ? 44 : 56}px, 120px))`;
    this.grid.replaceChildren(...heads.map(head => this.cards[head]));
  }

  redraw() {
    const { numbers } = this.palette();
    this.cards.forEach((card, head) => this.drawCard(card.firstChild, head, numbers));
    this.show();
  }

  drawCard(canvas, head, numbers) {
    const image = new ImageData(this.n, this.n);
    const pixels = new DataView(image.data.buffer);
    for (let row = 0; row < this.n; row++) {
      const most = this.weights.most(head, this.shade === "row" ? row : undefined);
      for (let column = 0; column < this.n; column++) {
        const color = numbers[this.level(this.weights.at(head, row, column), most, numbers.length)];
        pixels.setUint32(4 * (row * this.n + column), (color << 8 | 255) >>> 0);
      }
    }
    canvas.getContext("2d").putImageData(image, 0, 0);
  }

  /** Shows the chosen head. */
  show() {
    this.cards.forEach((card, head) => {
      card.setAttribute("aria-pressed", String(head === this.head));
      card.tabIndex = head === this.head ? 0 : -1;
    });
    const name = this.name(this.head);
    this.title.textContent = name[0].toUpperCase() + name.slice(1);
    this.figures.textContent = this.data.figures.map(({ label, values }) => `${label} ${figure(values[this.head])}`).join(" · ");
    this.map.setAttribute("aria-label", `Weights of ${name}. The arrow keys move through its cells.`);
    this.pick(this.row, this.column);
  }

  /** The token attended from or to, and perhaps the one at the other end. */
  pick(row, column) {
    this.row = row;
    this.column = column;
    const { colors } = this.palette();
    const weight = other => this.direction === "to" ? this.weights.at(this.head, row, other) : this.weights.at(this.head, other, row);
    const weights = this.tokens.map((_, other) => weight(other));
    const most = Math.max(...weights);
    this.tokens.forEach((token, other) => {
      const level = this.level(weights[other], most, colors.length);
      token.style.backgroundColor = weights[other] > 0 ? colors[level] : "transparent";
      token.classList.toggle("th-far", weights[other] > 0 && level > colors.length / 2);
      token.classList.toggle("th-from", other === row);
      token.classList.toggle("th-other", other === column);
      token.setAttribute("aria-selected", String(other === row));
      token.tabIndex = other === row ? 0 : -1;
    });
    this.tell(weights);
    this.drawMap();
  }

  tell(weights) {
    const quote = place => `“${this.data.tokens[place]}” (${place})`;
    const verb = this.direction === "to" ? "attends to" : "is attended to by";
    const one = place => `${quote(place)} ${weights[place].toFixed(3)}`;
    if (this.column !== null) {
      this.status.textContent = `${quote(this.row)} ${verb} ${one(this.column)}`;
      return;
    }
    const strongest = weights.map((_, place) => place).sort((a, b) => weights[b] - weights[a]).slice(0, 5).filter(place => weights[place] > 0);
    this.status.textContent = `${quote(this.row)} ${verb} ${strongest.length ? strongest.map(one).join(", ") : "nothing"}`;
  }

  /** Sizes of the large map: a cell is a whole number of pixels where that leaves it large enough. */
  geometry() {
    const room = Math.max(160, Math.min(560, this.map.parentElement.clientWidth));
    const labelled = (room - 90) / this.n >= 11;
    const margin = labelled ? 84 : 0;
    const cell = (room - margin) / this.n;
    return { margin, cell: cell >= 2 ? Math.floor(cell) : cell, labelled };
  }

  drawMap() {
    const { margin, cell, labelled } = this.geometry();
    const size = margin + cell * this.n;
    const ratio = devicePixelRatio || 1;
    this.map.width = this.map.height = Math.round(size * ratio);
    this.map.style.width = this.map.style.height = `${size}px`;
    const context = this.map.getContext("2d");
    context.scale(ratio, ratio);
    context.imageSmoothingEnabled = false;
    context.drawImage(this.cards[this.head].firstChild, margin, margin, cell * this.n, cell * this.n);
    const style = getComputedStyle(this.root);
    context.fillStyle = context.strokeStyle = style.color;
    if (labelled) this.drawLabels(context, margin, cell, style);
    const [row, column] = this.direction === "to" ? [this.row, this.column] : [this.column, this.row];
    context.lineWidth = 1.5;
    if (row !== null) context.strokeRect(margin, margin + row * cell, cell * this.n, cell);
    if (column !== null) context.strokeRect(margin + column * cell, margin, cell, cell * this.n);
  }

  drawLabels(context, margin, cell, style) {
    context.font = `${Math.min(12, cell - 1)}px ${style.fontFamily}`;
    context.textBaseline = "middle";
    context.textAlign = "right";
    const shown = token => token.length > 12 ? token.slice(0, 11) + "…" : token;
    this.data.tokens.forEach((token, place) => {
      context.fillText(shown(token), margin - 5, margin + (place + 0.5) * cell, margin - 8);
      context.save();
      context.translate(margin + (place + 0.5) * cell, margin - 5);
      context.rotate(-Math.PI / 2);
      context.textAlign = "left";
      context.fillText(shown(token), 0, 0, margin - 8);
      context.restore();
    });
  }

  /** The cell of the map under the pointer. */
  pointed(event) {
    const { margin, cell } = this.geometry();
    const box = this.map.getBoundingClientRect();
    const place = offset => Math.max(0, Math.min(this.n - 1, Math.floor((offset - margin) / cell)));
    this.cell(place(event.clientY - box.top), place(event.clientX - box.left));
  }

  cell(row, column) {
    if (this.direction === "to") this.pick(row, column); else this.pick(column, row);
  }

  move(event, step, keys) {
    const by = keys[event.key];
    if (by === undefined) return;
    event.preventDefault();
    step(by);
  }

  mapKey(event) {
    const [row, column] = this.direction === "to" ? [this.row, this.column ?? 0] : [this.column ?? 0, this.row];
    const inside = place => Math.max(0, Math.min(this.n - 1, place));
    this.move(event, ([down, right]) => this.cell(inside(row + down), inside(column + right)),
      { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1], Home: [0, -this.n], End: [0, this.n], PageUp: [-this.n, 0], PageDown: [this.n, 0] });
  }

  textKey(event) {
    this.move(event, by => this.tokens[Math.max(0, Math.min(this.n - 1, this.row + by))].focus(),
      { ArrowUp: -1, ArrowLeft: -1, ArrowDown: 1, ArrowRight: 1, Home: -this.n, End: this.n });
  }

  gridKey(event) {
    const place = this.ordered.findIndex(head => this.cards[head] === document.activeElement);
    if (place < 0) return;
    this.move(event, by => {
      const head = this.ordered[Math.max(0, Math.min(this.count - 1, place + by))];
      this.head = head;
      this.show();
      this.cards[head].focus();
    }, { ArrowUp: -this.across, ArrowDown: this.across, ArrowLeft: -1, ArrowRight: 1, Home: -this.count, End: this.count });
  }
}

document.querySelectorAll(".token-heatmaps").forEach(root => new View(root));
})();
