
/** What the letters of the data stand for. */
const STANDINGS = {
  p: { sign: "✓", word: "passed", className: "pass" },
  f: { sign: "✗", word: "failed", className: "fail" },
  s: { sign: "", word: "scored", className: "plain" },
  u: { sign: "?", word: "unscored", className: "unscored" },
  e: { sign: "!", word: "error", className: "error" },
  "-": { sign: "", word: "not asked", className: "absent" },
};

/** The data of the page: items by variants by metrics. Rows, variants and metrics are numbers here. */
class Table {
  constructor(data) {
    this.data = data;
    this.metrics = data.metrics;
    this.variants = data.variants;
    this.rows = data.keys.length;
    this.places = new Map(data.keys.map((key, row) => [key, row]));
  }

  text(column, place) {
    const text = column === null ? -1 : column[place];
    return text < 0 ? null : this.data.texts[text];
  }

  input(row) { return this.text(this.data.inputs, row); }
  target(row) { return this.text(this.data.targets, row); }

  marks(row) {
    const marks = [["cluster", this.data.clusters], ["stratum", this.data.strata], ["tags", this.data.tags]];
    return marks.map(([name, column]) => [name, this.text(column, row)]).filter(([, text]) => text !== null);
  }

  /** The places of the answers of a cell in the columns of its variant. */
  answers(variant, row) {
    const { starts } = this.variants[variant];
    const places = [];
    for (let place = starts[row]; place < starts[row + 1]; place++) places.push(place);
    return places;
  }

  standing(variant, metric, row) {
    return metric < 0 ? (this.answers(variant, row).length ? "s" : "-") : this.variants[variant].scores[metric].standings[row];
  }

  /** The mean of the repeats that have a figure, or null. */
  value(variant, metric, row) {
    if (metric < 0) return null;
    const scores = this.variants[variant].scores[metric];
    scores.means ??= Array.from({ length: this.rows }, (_, row) => {
      const values = this.answers(variant, row).map(place => scores.readings[place]).filter(value => typeof value === "number");
      return values.length ? values.reduce((sum, value) => sum + value, 0) / values.length : null;
    });
    return scores.means[row];
  }

  /** Whether any repeat of a cell failed, or its scorer did. */
  troubled(variant, metric, row) {
    const { errors, scores } = this.variants[variant];
    const failed = place => (errors !== null && errors[place] >= 0) || (metric >= 0 && scores[metric].readings[place] === "e");
    return this.answers(variant, row).some(failed);
  }

  /** What counts as the answer at a place, or the error that stands for it. */
  given(variant, place) {
    const { extracted, outputs, errors } = this.variants[variant];
    return this.text(errors, place) ?? this.text(extracted, place) ?? this.text(outputs, place).trim();
  }

  /** Whether variants gave different answers, or got different figures. */
  different(metric, row) {
    let first = null;
    return this.variants.some(({ kinds }, variant) => {
      const places = this.answers(variant, row);
      if (places.length === 0) return false;
      const answers = places.length === 1 ? kinds[places[0]] : [...new Set(places.map(place => kinds[place]))].sort();
      const told = `${this.standing(variant, metric, row)} ${this.value(variant, metric, row)} ${answers}`;
      first ??= told;
      return told !== first;
    });
  }

  /** 1 where a variant did better than the baseline, -1 where worse: by passing where the metric has a mark, else by its figure. */
  change(variant, metric, row, baseline) {
    const [now, before] = [this.value(variant, metric, row), this.value(baseline, metric, row)];
    if (now === null || before === null) return 0;
    const { mark, lower } = this.metrics[metric];
    if (mark !== null) {
      const passed = other => Number(this.standing(other, metric, row) === "p");
      return passed(variant) - passed(baseline);
    }
    return Math.sign(lower ? before - now : now - before);
  }

  changes(metric, row, baseline) {
    return this.variants.map((_, variant) => variant === baseline ? 0 : this.change(variant, metric, row, baseline));
  }

  sum(variant, column, row) {
    const values = this.variants[variant][column];
    return this.answers(variant, row).reduce((sum, place) => sum + (values[place] ?? 0), 0);
  }

  /** The rows that hold all words of a search, each in any of their texts. */
  search(words) {
    const tests = words.map(word => this.holding(word));
    const rows = [];
    for (let row = 0; row < this.rows; row++) if (tests.every(test => test(row))) rows.push(row);
    return rows;
  }

  /** A test of rows for a word, in whatever case. Each text is looked through once, however many rows have it. */
  holding(word) {
    const pattern = new RegExp(word.replace(/[\\^$.*+?()[\]{}|/]/g, "\\$&"), "iu");
    const held = this.data.texts.map(text => pattern.test(text));
    const { keys, inputs, targets, clusters, strata, tags } = this.data;
    const columns = [inputs, targets, clusters, strata, tags].filter(column => column !== null);
    const said = this.variants.map(({ outputs, extracted, errors }) => [outputs, extracted, errors].filter(column => column !== null));
    const holds = (columns, place) => columns.some(column => column[place] >= 0 && held[column[place]]);
    return row => pattern.test(keys[row]) || holds(columns, row)
      || said.some((columns, variant) => this.answers(variant, row).some(place => holds(columns, place)));
  }
}

/** The filters, by their names in addresses. Each tells whether a row is shown. */
const FILTERS = {
  all: { name: "All", title: "every item", test: () => true },
  failures: {
    name: "Failures",
    title: "at least one variant failed",
    test: (table, { metric }, row) => some(table, metric, row, "f"),
  },
  passes: {
    name: "Passes",
    title: "every variant that was asked passed",
    test: (table, { metric }, row) => some(table, metric, row, "p") && !["f", "s", "u", "e"].some(letter => some(table, metric, row, letter)),
  },
  errors: {
    name: "Errors",
    title: "an answer or a scorer failed",
    test: (table, { metric }, row) => table.variants.some((_, variant) => table.troubled(variant, metric, row)),
  },
  unscored: {
    name: "Unscored",
    title: "an answer has no figure, which does not make it wrong",
    test: (table, { metric }, row) => some(table, metric, row, "u"),
  },
  different: {
    name: "Different",
    title: "variants gave different answers or got different figures",
    test: (table, { metric }, row) => table.different(metric, row),
  },
  highlights: {
    name: "Highlights",
    title: "a variant did better or worse than the baseline",
    test: (table, { metric, base }, row) => table.changes(metric, row, base).some(change => change !== 0),
  },
  regressed: {
    name: "Regressed",
    title: "a variant did worse than the baseline",
    test: (table, { metric, base }, row) => table.changes(metric, row, base).includes(-1),
  },
  improved: {
    name: "Improved",
    title: "a variant did better than the baseline",
    test: (table, { metric, base }, row) => table.changes(metric, row, base).includes(1),
  },
};

const some = (table, metric, row, letter) => table.variants.some((_, variant) => table.standing(variant, metric, row) === letter);

/** The orders, by their names in addresses: a number for each row, the least first. */
const ORDERS = {
  given: { name: "as given", rank: () => row => row },
  failures: {
    name: "most failures first",
    rank: (table, { metric }) => row => -table.variants.filter((_, variant) => table.standing(variant, metric, row) === "f").length,
  },
  worse: { name: "largest loss against the baseline first", rank: (table, view) => row => gain(table, view, row, Math.min) },
  better: { name: "largest gain against the baseline first", rank: (table, view) => row => -gain(table, view, row, Math.max) },
  slow: { name: "slowest first", rank: table => row => -most(table, "latency", row) },
  costly: { name: "most expensive first", rank: table => row => -most(table, "cost", row) },
};

const most = (table, column, row) => Math.max(...table.variants.map((_, variant) => table.sum(variant, column, row)));

/** The extreme difference of a row's figures to the baseline's, more being better. */
const gain = (table, { metric, base }, row, extreme) => {
  const before = table.value(base, metric, row);
  const worth = metric >= 0 && table.metrics[metric].lower ? -1 : 1;
  const gains = table.variants.map((_, variant) => table.value(variant, metric, row)).filter(value => value !== null && before !== null);
  return gains.length ? extreme(...gains.map(value => worth * (value - before))) : 0;
};
