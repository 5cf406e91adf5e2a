"use strict";

/** An element with properties and children. Texts only ever come in as text. */
const make = (name, properties = {}, ...children) => {
  const { aria = {}, ...rest } = properties;
  const element = Object.assign(document.createElement(name), rest);
  Object.entries(aria).forEach(([key, value]) => element.setAttribute(key === "role" ? key : `aria-${key}`, value));
  element.append(...children);
  return element;
};

/** A text of a model or a user, kept from turning the direction of what stands around it. */
const foreign = (text, className = "") => make("bdi", { className, textContent: text });

/** A dot in the colour that charts give the variant. */
const swatch = variant => {
  const draw = (name, attributes, ...children) => {
    const element = document.createElementNS("http://www.w3.org/2000/svg", name);
    Object.entries(attributes).forEach(([key, value]) => element.setAttribute(key, value));
    element.append(...children);
    return element;
  };
  const circle = draw("circle", { cx: 5, cy: 5, r: 5, fill: "currentColor" });
  return draw("svg", { class: "chart swatch", viewBox: "0 0 10 10", "aria-hidden": "true" }, draw("g", { class: `s${variant % 8}` }, circle));
};

const select = (label, options, change) => {
  const field = make("select", {}, ...options.map(([value, text]) => make("option", { value, textContent: text })));
  field.addEventListener("change", () => change(field.value));
  return { field, label: make("label", { className: "mx-field" }, label + " ", field) };
};

const figure = value => {
  const size = Math.abs(value);
  if (value === 0) return "0";
  return size >= 100000 || size < 0.001 ? value.toExponential(2) : String(Number(value.toPrecision(size >= 1000 ? 5 : 3)));
};

const seconds = micros => {
  if (micros === null) return "";
  return micros < 1000 ? `${micros} µs` : micros < 1e6 ? `${figure(micros / 1e3)} ms` : `${figure(micros / 1e6)} s`;
};

const dollars = micros => micros === 0 ? "" : `$${(micros / 1e6).toPrecision(2)}`;

const plural = (count, name) => `${count} ${name}${count === 1 ? "" : "s"}`;
