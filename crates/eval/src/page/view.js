
/**
 * What the reader looks at, kept in the address after `#`, so that a link restores it and the back button goes back. Variants, metrics and
 * items stand there by name; what is as it is by default is left out.
 */
class View {
  constructor(table) {
    this.table = table;
    this.read();
  }

  /** Whether an address tells of a view, rather than of a section of the page. */
  static isIn(address) { return address.includes("="); }

  read() {
    const fields = new URLSearchParams(View.isIn(location.hash) ? location.hash.slice(1) : "");
    const among = (list, name, otherwise) => {
      const place = list.findIndex(entry => entry.name === name);
      return place < 0 ? otherwise : place;
    };
    const own = (object, name, otherwise) => Object.hasOwn(object, name) ? name : otherwise;
    this.filter = own(FILTERS, fields.get("filter"), "all");
    this.sort = own(ORDERS, fields.get("sort"), "given");
    this.metric = among(this.table.metrics, fields.get("metric"), this.table.metrics.length ? 0 : -1);
    this.base = among(this.table.variants, fields.get("base"), 0);
    this.query = fields.get("q") ?? "";
    this.item = this.table.places.get(fields.get("item")) ?? null;
    this.marked = fields.get("diff") !== "off";
  }

  toString() {
    const { table } = this;
    const fields = new URLSearchParams();
    const put = (name, value, otherwise) => { if (value !== otherwise) fields.set(name, value); };
    put("filter", this.filter, "all");
    put("metric", this.metric <= 0 ? null : table.metrics[this.metric].name, null);
    put("base", this.base === 0 ? null : table.variants[this.base].name, null);
    put("sort", this.sort, "given");
    put("q", this.query, "");
    put("diff", this.marked ? "on" : "off", "on");
    put("item", this.item === null ? null : table.data.keys[this.item], null);
    return fields.toString() || "filter=all";
  }

  /** Changes the view. A change that replaces the one before leaves no step for the back button. */
  change(changes, replace = false) {
    Object.assign(this, changes);
    const address = "#" + this;
    if (address === location.hash) return;
    if (replace) history.replaceState(null, "", address); else history.pushState(null, "", address);
  }

  /** What decides which rows are shown. */
  choice() { return JSON.stringify([this.filter, this.sort, this.query, this.metric, this.base]); }

  /** The rows that a search finds, and those of them that are shown, in order. */
  rows() {
    const { table } = this;
    const found = table.search(this.query.split(/\s+/).filter(word => word));
    const shown = found.filter(row => FILTERS[this.filter].test(table, this, row));
    if (this.sort === "given") return { found, shown };
    const rank = ORDERS[this.sort].rank(table, this);
    const ranks = new Map(shown.map(row => [row, rank(row)]));
    shown.sort((a, b) => ranks.get(a) - ranks.get(b) || a - b);
    return { found, shown };
  }
}
