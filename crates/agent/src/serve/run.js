const live = document.getElementById("live");
const steps = document.getElementById("run-steps");
const say = text => { if (live.textContent !== text) live.textContent = text; };

/** Keeps what the reader has unfolded, and forms that they may be filling in. */
const keep = (old, fresh) => {
  const unfolded = [...old.querySelectorAll(":scope details")];
  [...fresh.querySelectorAll(":scope details")].forEach((details, place) => {
    if (unfolded[place]) details.open = unfolded[place].open || details.open;
  });
  const token = form => form.elements.token?.value;
  for (const form of fresh.querySelectorAll("form")) {
    const known = [...old.querySelectorAll("form")].find(other => token(other) === token(form));
    if (known) form.replaceWith(known);
  }
};

const put = (id, html) => {
  const template = document.createElement("template");
  template.innerHTML = html;
  const fresh = template.content.firstElementChild;
  const old = document.getElementById(id);
  if (!old) { steps.append(fresh); return; }
  const focus = old.contains(document.activeElement) ? document.activeElement : null;
  keep(old, fresh);
  old.replaceWith(fresh);
  if (focus?.isConnected) focus.focus();
};

const events = new EventSource(`${live.dataset.events}?from=${live.dataset.next}`);
events.onopen = () => say("Following the run.");
events.onerror = () => say(events.readyState === EventSource.CLOSED ? "No longer following: reload the page." : "Disconnected, trying again.");
events.addEventListener("parts", event => JSON.parse(event.data).forEach(([id, html]) => put(id, html)));
events.addEventListener("end", () => { events.close(); say("The run is over."); });
