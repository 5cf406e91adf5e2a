
const start = root => {
  const table = new Table(JSON.parse(root.querySelector("script").textContent));
  const view = new View(table);
  const update = () => {
    matrix.update();
    drawer.show(matrix.rows.indexOf(view.item), matrix.rows.length);
  };
  const change = (changes, replace) => {
    view.change(changes, replace);
    update();
  };
  const close = () => {
    change({ item: null });
    matrix.grid.focus({ preventScroll: true });
  };
  const step = by => {
    const place = matrix.rows.indexOf(view.item);
    const next = matrix.rows[place < 0 ? 0 : place + by];
    if (next === undefined) return;
    change({ item: next }, true);
    matrix.move(matrix.active);
  };
  const matrix = new Matrix(root, table, view, { change, open: item => change({ item }) });
  const drawer = new Drawer(table, view, { step, close, change: changes => change(changes, true) });
  const read = () => {
    if (!View.isIn(location.hash) && location.hash !== "") return;
    view.read();
    update();
    if (view.item !== null) matrix.move(matrix.active);
  };
  addEventListener("popstate", read);
  document.addEventListener("keydown", event => {
    if (event.key !== "/" || event.ctrlKey || event.metaKey || event.target.matches("input, select") || view.item !== null) return;
    event.preventDefault();
    matrix.search.focus();
  });
  update();
  if (View.isIn(location.hash)) {
    root.scrollIntoView();
    if (view.item !== null) matrix.move(matrix.active);
  }
};

document.querySelectorAll(".matrix").forEach(start);
