// Elements are made here and nowhere else: texts go in as text, so that no tag or lyric is ever markup.

export const byId = (id) => document.getElementById(id);

const SVG = new Set(["svg", "path", "circle", "line"]);

export function make(name, options = {}, ...children) {
  const element = SVG.has(name)
    ? document.createElementNS("http://www.w3.org/2000/svg", name)
    : document.createElement(name);
  for (const [key, value] of Object.entries(options)) {
    if (value === undefined || value === null || value === false) continue;
    if (key === "on") for (const [event, call] of Object.entries(value)) element.addEventListener(event, call);
    else if (key === "style") for (const [property, text] of Object.entries(value)) element.style.setProperty(property, text);
    else element.setAttribute(key, value === true ? "" : String(value));
  }
  element.append(...children.filter((child) => child || child === 0));
  return element;
}

export function button(text, call, options = {}) {
  return make("button", { type: "button", class: "button", on: { click: call }, ...options }, text);
}

export const percent = (share) => `${share > 0 && share < 0.01 ? "<1" : Math.round(100 * share)}\u00a0%`;

export const number = (value) => value.toLocaleString("en");

export function clock(seconds) {
  if (!Number.isFinite(seconds)) return "";
  const whole = Math.floor(seconds);
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
}

// A file of the page's own making, offered for saving.
export function offer(name, text, type) {
  const url = URL.createObjectURL(new Blob([text], { type }));
  const link = make("a", { href: url, download: name });
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}
