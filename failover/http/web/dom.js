// Making and changing what is shown. Text goes in through textContent alone: names are data.

const SVG = "http://www.w3.org/2000/svg";

// Controls, joiners, direction marks and lone surrogates would move what stands around them.
export function printable(text) {
  return String(text ?? "").replace(/[\p{C}\p{Zl}\p{Zp}]/gu, "·");
}

// h("p.note", {title: "x", onclick: f}, child, "text"): an element. A class that starts with "svg:" is an SVG one.
export function h(what, props = {}, ...children) {
  const [tag, ...classes] = what.split(".");
  const made = tag.startsWith("svg:") ? document.createElementNS(SVG, tag.slice(4)) : document.createElement(tag);
  if (classes.length) made.setAttribute("class", classes.join(" "));
  for (const [name, value] of Object.entries(props)) {
    if (typeof value === "function") made.addEventListener(name.slice(2), value);
    else attr(made, name, value);
  }
  made.append(...children.map((child) => (typeof child === "string" ? printable(child) : child)));
  return made;
}

// Set a text only where it is another: what did not change is not touched.
export function text(element, value) {
  const shown = printable(value);
  if (element.textContent !== shown) element.textContent = shown;
}

export function attr(element, name, value) {
  if (value === null || value === undefined || value === false) {
    if (element.hasAttribute(name)) element.removeAttribute(name);
    return;
  }
  const shown = value === true ? "" : printable(value);
  if (element.getAttribute(name) !== shown) element.setAttribute(name, shown);
}

export function style(element, name, value) {
  if (element.style.getPropertyValue(name) !== value) element.style.setProperty(name, value);
}

// Bring the children of `parent` to `items`: keep those that stay, move, make and remove the others.
const rows = new WeakMap();
export function keyed(parent, items, key, make, update) {
  const known = rows.get(parent) ?? new Map();
  const next = new Map();
  let place = parent.firstChild;
  for (const item of items) {
    const id = key(item);
    if (next.has(id)) continue;
    const row = known.get(id) ?? make(item);
    next.set(id, row);
    update(row, item);
    if (row === place) place = place.nextSibling;
    else parent.insertBefore(row, place);
  }
  for (const [id, row] of known) if (!next.has(id)) row.remove();
  rows.set(parent, next);
}

// The parts of a row by their data-part, looked up once.
const parts = new WeakMap();
export function part(row, name) {
  let found = parts.get(row);
  if (!found) {
    found = Object.fromEntries([...row.querySelectorAll("[data-part]")].map((one) => [one.dataset.part, one]));
    parts.set(row, found);
  }
  return found[name];
}

export const byId = (id) => document.getElementById(id);
