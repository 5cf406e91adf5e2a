
/** The height of a row in CSS pixels, as in the style sheet. */
const ROW = 56;
/** Rows drawn above and below those in view. */
const MARGIN = 6;
/** Browsers stop laying elements out some way beyond this many rows. */
const MOST_ROWS = 250000;
/** Rows that are put on paper. */
const PRINTED = 100;

/** The items as rows and the variants as columns. Only rows in view are elements of the page. */
class Matrix {
  constructor(root, table, view, { change, open }) {
    Object.assign(this, { table, view, change, open });
    this.pool = [];
    this.rows = [];
    this.active = 0;
    root.append(this.controls(), this.frame());
    this.grid.addEventListener("scroll", () => this.draw(), { passive: true });
    this.grid.addEventListener("keydown", event => this.key(event));
    new ResizeObserver(() => this.draw()).observe(this.grid);
    addEventListener("beforeprint", () => this.print(true));
    addEventListener("afterprint", () => this.print(false));
  }

  controls() {
    const { table } = this;
    this.chips = Object.entries(FILTERS).map(([filter, { name, title }]) => {
      const chip = make("button", { type: "button", className: "mx-chip", title }, name + " ", make("span"));
      chip.addEventListener("click", () => this.change({ filter }));
      return [filter, chip];
    });
    this.search = make("input", { type: "search", placeholder: "words in any text", title: "key: /", spellcheck: false });
    this.search.addEventListener("input", () => {
      clearTimeout(this.wait);
      this.wait = setTimeout(() => this.change({ query: this.search.value }, true), 120);
    });
    this.metric = select("Metric", table.metrics.map(({ name }, place) => [place, name]), value => this.change({ metric: Number(value) }));
    this.base = select("Baseline", table.variants.map(({ name }, place) => [place, name]), value => this.change({ base: Number(value) }));
    this.sort = select("Order", Object.entries(ORDERS).map(([sort, { name }]) => [sort, name]), sort => this.change({ sort }));
    this.status = make("p", { className: "mx-status", aria: { live: "polite" } });
    const search = make("label", { className: "mx-field" }, "Search ", this.search);
    const fields = make("div", { className: "mx-fields" }, search, this.metric.label, this.base.label, this.sort.label);
    const chips = make("div", { className: "mx-chips", aria: { role: "group", label: "Filter" } }, ...this.chips.map(([, chip]) => chip));
    return make("div", {}, chips, fields, this.status);
  }

  frame() {
    const columns = ["item", ...this.table.variants.map(({ name }) => name)];
    const heads = columns.map((name, column) => {
      const head = make("div", { className: "mx-cell mx-head", aria: { role: "columnheader" } });
      head.append(...(column ? [swatch(column - 1)] : []), foreign(name));
      return head;
    });
    const header = make("div", { className: "mx-row mx-header", aria: { role: "row", rowindex: 1 } }, ...heads);
    this.body = make("div", { className: "mx-body", aria: { role: "rowgroup" } });
    const label = "Items by variants. Arrow keys move, Enter opens an item.";
    const aria = { role: "grid", label, colcount: columns.length };
    this.grid = make("div", { className: "mx-frame", tabIndex: 0, aria }, make("div", { aria: { role: "rowgroup" } }, header), this.body);
    this.grid.style.setProperty("--columns", columns.length - 1);
    return this.grid;
  }

  /** Follows the view: filters anew where that has to be, and draws. */
  update() {
    const { view } = this;
    const choice = view.choice();
    if (this.choice !== choice) this.filter();
    this.choice = choice;
    const open = this.rows.indexOf(view.item);
    this.active = open >= 0 ? open : Math.max(0, Math.min(this.active, this.rows.length - 1));
    this.draw();
  }

  filter() {
    const { table, view } = this;
    const { found, shown } = view.rows();
    this.rows = shown.length > MOST_ROWS ? shown.slice(0, MOST_ROWS) : shown;
    for (const [filter, chip] of this.chips) {
      chip.setAttribute("aria-pressed", String(filter === view.filter));
      chip.lastChild.textContent = this.count(filter, found);
    }
    if (document.activeElement !== this.search) this.search.value = view.query;
    this.metric.field.value = view.metric;
    this.base.field.value = view.base;
    this.sort.field.value = view.sort;
    this.told = `${shown.length} of ${plural(table.rows, "item")}`;
    this.status.textContent = this.told + (shown.length > MOST_ROWS ? `; the first ${MOST_ROWS} can be scrolled to` : "");
    this.body.style.height = `${this.rows.length * ROW}px`;
    this.grid.setAttribute("aria-rowcount", this.rows.length + 1);
    this.pool.forEach(element => { element.place = -1; });
  }

  /** Items that a filter would show: counted once for each search, metric and baseline. */
  count(filter, found) {
    const { view } = this;
    const key = JSON.stringify([view.query, view.metric, view.base]);
    if (this.counted !== key) Object.assign(this, { counted: key, counts: {} });
    this.counts[filter] ??= found.reduce((count, row) => count + Number(FILTERS[filter].test(this.table, view, row)), 0);
    return String(this.counts[filter]);
  }

  /** Gives the elements of rows that left the view to rows that came into it. */
  draw() {
    const top = this.printing ? 0 : this.grid.scrollTop;
    const height = this.printing ? PRINTED * ROW : this.grid.clientHeight;
    const first = Math.max(0, Math.floor(top / ROW) - MARGIN);
    const last = Math.min(this.rows.length, Math.ceil((top + height) / ROW) + MARGIN);
    const free = this.pool.filter(element => element.place < first || element.place >= last);
    const drawn = new Set(this.pool.map(element => element.place));
    for (let place = first; place < last; place++) {
      if (!drawn.has(place)) this.fill(free.pop() ?? this.element(), place);
    }
    free.forEach(element => { element.hidden = true; element.place = -1; });
    for (const element of this.pool) element.classList.toggle("active", element.place === this.active);
    const active = this.pool.find(element => element.place === this.active);
    if (active) this.grid.setAttribute("aria-activedescendant", active.id); else this.grid.removeAttribute("aria-activedescendant");
  }

  element() {
    const element = make("div", { className: "mx-row", id: `matrix-row-${this.pool.length}`, place: -1, aria: { role: "row" } });
    element.addEventListener("click", () => {
      // A reader who marks text does not want to open it.
      if (getSelection().isCollapsed) this.open(this.rows[element.place]);
    });
    this.pool.push(element);
    this.body.append(element);
    return element;
  }

  fill(element, place) {
    const row = this.rows[place];
    element.place = place;
    element.hidden = false;
    element.setAttribute("aria-rowindex", place + 2);
    element.style.transform = `translateY(${place * ROW}px)`;
    element.replaceChildren(this.about(row), ...this.table.variants.map((_, variant) => this.cell(row, variant)));
  }

  about(row) {
    const target = this.table.target(row);
    const wanted = target === null ? [] : [make("span", { className: "mx-target" }, " → ", foreign(target.slice(0, 200)))];
    const head = make("div", { className: "mx-line" }, foreign(this.table.data.keys[row], "mx-key"), ...wanted);
    const input = make("div", { className: "mx-text" }, foreign(this.table.input(row).slice(0, 300)));
    return make("div", { className: "mx-cell", aria: { role: "rowheader" } }, head, input);
  }

  cell(row, variant) {
    const { table, view } = this;
    const letter = table.standing(variant, view.metric, row);
    const standing = STANDINGS[letter];
    const change = view.metric < 0 || variant === view.base ? 0 : table.change(variant, view.metric, row, view.base);
    const places = table.answers(variant, row);
    const value = table.value(variant, view.metric, row);
    const told = `${standing.sign} ${value === null ? standing.word : figure(value)}`.trim();
    const badge = make("span", { className: `badge ${standing.className}`, textContent: told });
    const notes = [change < 0 ? "▼" : change > 0 ? "▲" : "", this.repeats(variant, row, places), this.took(variant, row)].filter(note => note);
    const line = make("div", { className: "mx-line" }, badge, make("span", { className: "mx-took", textContent: notes.join(" · ") }));
    const given = places.length ? table.given(variant, places[0]).slice(0, 300) : "";
    const className = "mx-cell" + (change < 0 ? " worse" : change > 0 ? " better" : "");
    const cell = make("div", { className, aria: { role: "gridcell" } }, line, make("div", { className: "mx-text" }, foreign(given)));
    if (change) cell.title = change < 0 ? "worse than the baseline" : "better than the baseline";
    return cell;
  }

  repeats(variant, row, places) {
    if (places.length < 2) return "";
    const { distinct, errors } = this.table.variants[variant];
    const failed = errors === null ? 0 : places.filter(place => errors[place] >= 0).length;
    return `${distinct[row]} distinct of ${places.length}${failed ? `, ${failed} failed` : ""}`;
  }

  /** Mean latency, tokens written and cost of the answers of a cell. */
  took(variant, row) {
    const count = Math.max(1, this.table.answers(variant, row).length);
    const mean = column => this.table.sum(variant, column, row) / count;
    const [latency, written] = [Math.round(mean("latency")), Math.round(mean("written"))];
    return [latency ? seconds(latency) : "", written ? `${written} tok` : "", dollars(mean("cost"))].filter(part => part).join(" · ");
  }

  key(event) {
    const page = Math.max(1, Math.floor(this.grid.clientHeight / ROW) - 2);
    const steps = { ArrowDown: 1, j: 1, ArrowUp: -1, k: -1, PageDown: page, PageUp: -page, Home: -this.rows.length, End: this.rows.length };
    if (event.altKey || event.ctrlKey || event.metaKey || this.rows.length === 0) return;
    if (event.key === "Enter") this.open(this.rows[this.active]);
    else if (steps[event.key] !== undefined) this.move(this.active + steps[event.key]);
    else return;
    event.preventDefault();
  }

  /** Makes a row the active one and brings it into view. */
  move(place) {
    this.active = Math.max(0, Math.min(this.rows.length - 1, place));
    const head = this.grid.firstChild.offsetHeight;
    const [top, bottom] = [this.active * ROW, (this.active + 1) * ROW - this.grid.clientHeight + head];
    if (this.grid.scrollTop > top) this.grid.scrollTop = top;
    if (this.grid.scrollTop < bottom) this.grid.scrollTop = bottom;
    this.draw();
  }

  print(printing) {
    this.printing = printing;
    this.status.textContent = this.told + (printing && this.rows.length > PRINTED ? `; the first ${PRINTED} are on paper` : "");
    this.body.style.height = `${(printing ? Math.min(PRINTED, this.rows.length) : this.rows.length) * ROW}px`;
    this.draw();
  }
}
