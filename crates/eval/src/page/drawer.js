
/** An item opened: what was asked and wanted, and the variants' outputs side by side. */
class Drawer {
  constructor(table, view, { step, close, change }) {
    Object.assign(this, { table, view, step, change });
    this.dialog = make("dialog", { className: "dr", aria: { label: "Item" } });
    this.dialog.addEventListener("cancel", event => { event.preventDefault(); close(); });
    this.dialog.addEventListener("keydown", event => this.key(event, close));
    // A click beside the dialog is one on its backdrop, whose target is the dialog itself.
    this.dialog.addEventListener("click", event => { if (event.target === this.dialog) close(); });
    const button = (text, title, act) => {
      const element = make("button", { type: "button", textContent: text, title });
      element.addEventListener("click", act);
      return element;
    };
    this.title = make("h3", { tabIndex: -1 });
    this.place = make("span", { className: "dr-place", aria: { live: "polite" } });
    this.previous = button("← Previous", "key: left arrow or K", () => step(-1));
    this.next = button("Next →", "key: right arrow or J", () => step(1));
    this.marked = make("input", { type: "checkbox" });
    this.marked.addEventListener("change", () => change({ marked: this.marked.checked }));
    const marked = make("label", { className: "mx-field", title: "key: D" }, this.marked, " differences to the baseline");
    const head = make("header", {}, this.title, this.place, marked, this.previous, this.next, button("Close", "key: Escape", close));
    this.body = make("div", { className: "dr-body" });
    this.dialog.append(make("div", { className: "dr-inside" }, head, this.body));
    document.body.append(this.dialog);
  }

  key(event, close) {
    if (event.altKey || event.ctrlKey || event.metaKey || event.target.matches("input, select")) return;
    const acts = {
      ArrowLeft: () => this.step(-1), k: () => this.step(-1), ArrowRight: () => this.step(1), j: () => this.step(1),
      d: () => this.change({ marked: !this.view.marked }), Escape: close,
    };
    const act = acts[event.key.length === 1 ? event.key.toLowerCase() : event.key];
    if (!act) return;
    event.preventDefault();
    act();
  }

  /** Shows the view's item, the `place`th of `count` (none where the filter hides it), or closes. */
  show(place, count) {
    const { item } = this.view;
    if (item === null) {
      if (this.dialog.open) this.dialog.close();
      return;
    }
    this.title.replaceChildren("Item ", foreign(this.table.data.keys[item]));
    this.place.textContent = place < 0 ? "not among the items shown" : `${place + 1} of ${count}`;
    this.previous.disabled = place === 0 || count === 0;
    this.next.disabled = place === count - 1 || count === 0;
    this.marked.checked = this.view.marked;
    this.body.replaceChildren(...this.asked(item), this.answers(item));
    if (!this.dialog.open) {
      this.dialog.showModal();
      this.title.focus();
    }
    this.dialog.scrollTop = this.body.scrollTop = 0;
  }

  asked(item) {
    const { table } = this;
    const marks = table.marks(item).map(([name, text]) => make("span", {}, `${name} `, foreign(text)));
    const part = (name, text) => text === null ? [] : [make("section", {}, make("h4", { textContent: name }), this.long(text))];
    return [...part("Input", table.input(item)), ...part("Target", table.target(item)), make("p", { className: "dr-marks" }, ...marks)];
  }

  answers(item) {
    const columns = this.table.variants.map((_, variant) => this.column(item, variant));
    return make("div", { className: "dr-columns" }, ...columns);
  }

  column(item, variant) {
    const { table, view } = this;
    const change = view.metric < 0 || variant === view.base ? 0 : table.change(variant, view.metric, item, view.base);
    const notes = [variant === view.base ? "baseline" : "", change < 0 ? "▼ regressed" : change > 0 ? "▲ improved" : ""].filter(note => note);
    const title = make("h4", {}, swatch(variant), foreign(table.variants[variant].name), make("small", { textContent: notes.join(", ") }));
    const places = table.answers(variant, item);
    const className = "dr-column" + (change < 0 ? " worse" : change > 0 ? " better" : "");
    if (places.length === 0) return make("section", { className }, title, make("p", { textContent: "not asked" }));
    const [first, ...others] = places;
    const repeats = others.map((place, repeat) => {
      const summary = make("summary", {}, `Repeat ${repeat + 2}: `, foreign(this.short(variant, place)), " ", ...this.scores(variant, place));
      return make("details", {}, summary, ...this.answer(item, variant, place));
    });
    const { distinct } = table.variants[variant];
    const told = `${plural(places.length, "repeat")}, ${plural(distinct[item], "distinct answer")}`;
    const count = others.length ? [make("p", { className: "dr-repeats", textContent: told })] : [];
    return make("section", { className }, title, ...count, ...this.answer(item, variant, first), ...repeats);
  }

  /** One answer: its scores, what was extracted, the output, and what it took. */
  answer(item, variant, place) {
    const { table } = this;
    const data = table.variants[variant];
    const parts = [make("p", { className: "dr-scores" }, ...this.scores(variant, place))];
    const error = table.text(data.errors, place);
    if (error !== null) parts.push(make("p", { className: "dr-error" }, make("strong", { textContent: "Error " }), foreign(error)));
    const extracted = table.text(data.extracted, place);
    if (data.extracted !== null && error === null) {
      const shown = extracted === null ? make("em", { textContent: "none found" }) : foreign(extracted, "dr-extracted");
      parts.push(make("p", {}, "Extracted answer: ", shown));
    }
    parts.push(this.output(item, variant, place), ...this.reasons(variant, place), make("p", { className: "dr-took", textContent: this.took(data, place) }));
    return parts;
  }

  scores(variant, place) {
    const { table } = this;
    return table.metrics.map((metric, number) => {
      const reading = table.variants[variant].scores[number].readings[place];
      const text = typeof reading === "number" ? figure(reading) : STANDINGS[reading ?? "u"].word;
      const passes = typeof reading === "number" && metric.mark !== null ? (metric.lower ? reading <= metric.mark : reading >= metric.mark) : null;
      const className = passes === null ? (typeof reading === "number" ? "plain" : STANDINGS[reading ?? "u"].className) : passes ? "pass" : "fail";
      return make("span", { className: `badge ${className}` }, foreign(metric.name), ` ${text}`);
    });
  }

  reasons(variant, place) {
    const { table } = this;
    return table.metrics.flatMap((metric, number) => {
      const reason = table.text(table.variants[variant].scores[number].reasons, place);
      if (reason === null) return [];
      const summary = make("summary", {}, foreign(metric.name), " says");
      return [make("details", { className: "dr-reason", open: reason.length < 600 }, summary, this.long(reason))];
    });
  }

  /** The output, with what differs from the baseline's first output marked. */
  output(item, variant, place) {
    const { table, view } = this;
    const text = table.text(table.variants[variant].outputs, place);
    const [other] = table.answers(view.base, item);
    const before = other === undefined ? null : table.text(table.variants[view.base].outputs, other);
    if (!view.marked || variant === view.base || before === null || before === "") return this.long(text);
    const runs = compare(before, text);
    if (runs === null) {
      const why = "too different and too long to be compared by words";
      return make("div", {}, make("p", { className: "dr-took", textContent: why }), this.long(text));
    }
    const element = {
      same: run => document.createTextNode(run),
      gone: run => make("del", { textContent: run }),
      new: run => make("ins", { textContent: run }),
    };
    return make("pre", { className: "dr-long", tabIndex: 0 }, make("bdi", {}, ...runs.map(([kind, run]) => element[kind](run))));
  }

  long(text) {
    if (text === "") return make("p", { className: "dr-took", textContent: "(empty)" });
    return make("pre", { className: "dr-long", tabIndex: 0 }, foreign(text));
  }

  short(variant, place) {
    const given = this.table.given(variant, place);
    return given.length > 60 ? given.slice(0, 59) + "…" : given;
  }

  took(data, place) {
    const finish = this.table.text(data.finish, place);
    const tokens = data.read[place] + data.written[place] === 0 ? "" : `${data.read[place]} tokens read, ${data.written[place]} written`;
    return [seconds(data.latency[place]), tokens, dollars(data.cost[place]), finish === null ? "" : `finish reason ${finish}`].filter(part => part).join(" · ");
  }
}
