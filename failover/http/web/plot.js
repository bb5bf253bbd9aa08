// What was used of each account's window over time, with its threshold and the swaps.

import { hue } from "./accounts.js";
import { attr, byId, h, keyed, part, text } from "./dom.js";
import { many, moment, windowName } from "./words.js";

const HEIGHT = 230;
const EDGE = { left: 34, right: 10, top: 24, bottom: 22 };
const STEPS = [300, 900, 1800, 3600, 7200, 14_400, 21_600, 43_200, 86_400];

export function drawPlot(view, wanted) {
  const shown = view.windows.filter((one) => one.window === wanted);
  const box = byId("plot");
  const width = Math.max(240, box.clientWidth);
  const x = (at) => EDGE.left + ((at - view.since) / (view.until - view.since)) * (width - EDGE.left - EDGE.right);
  const y = (used) => EDGE.top + (1 - Math.min(100, Math.max(0, used)) / 100) * (HEIGHT - EDGE.top - EDGE.bottom);
  const picture = h("svg:svg.chart", { viewBox: `0 0 ${width} ${HEIGHT}`, width, height: HEIGHT, role: "img", "aria-label": told(view, shown, wanted) });
  for (const used of [0, 25, 50, 75, 100]) {
    picture.append(
      h("svg:line.grid", { x1: EDGE.left, x2: width - EDGE.right, y1: y(used), y2: y(used) }),
      h("svg:text.tick.left", { x: EDGE.left - 6, y: y(used) + 3.5 }, String(used)));
  }
  for (const at of ticks(view.since, view.until, width)) {
    picture.append(h("svg:text.tick.mid", { x: x(at), y: HEIGHT - 6 }, label(at, view.until - view.since)));
  }
  for (const threshold of new Set(shown.map((one) => one.threshold))) {
    picture.append(h("svg:line.threshold", { x1: EDGE.left, x2: width - EDGE.right, y1: y(threshold), y2: y(threshold) }));
  }
  view.swaps.forEach((swap, place) => {
    const at = x(swap.at_ms / 1000);
    const next = place + 1 < view.swaps.length ? x(view.swaps[place + 1].at_ms / 1000) : width;
    const mark = h("svg:g.swap", { "data-hue": hue(swap.target) },
      h("svg:line", { x1: at, x2: at, y1: EDGE.top - 6, y2: HEIGHT - EDGE.bottom }),
      h("svg:circle", { cx: at, cy: EDGE.top - 9, r: 3.5 }),
      h("svg:title", {}, `swap ${swap.swap}, ${moment(swap.at_ms)}: ${many(swap.sessions, "session")} from ${swap.source} to ${swap.target}`));
    if (next - at > 40) mark.append(h("svg:text.tick", { x: at + 6, y: EDGE.top - 5.5 }, `#${swap.swap}`));
    picture.append(mark);
  });
  for (const one of shown) {
    const path = line(one.used, view, x, y);
    if (path) picture.append(h("svg:path.use", { d: path, "data-hue": hue(one.account) }));
  }
  box.replaceChildren(picture);
  keyed(byId("legend"), shown, (one) => one.account,
    (one) => h("li", {}, h("span.dot", { "data-part": "dot" }), one.account),
    (row, one) => attr(part(row, "dot"), "data-hue", hue(one.account)));
}

// A line of steps, with a gap where nothing is known.
function line(points, view, x, y) {
  const parts = [];
  let before = null;
  points.forEach((used, place) => {
    const at = x(view.since + place * view.step).toFixed(1);
    if (used === null && before !== null) parts.push(`H${at}`);
    else if (used !== null && before === null) parts.push(`M${at} ${y(used).toFixed(1)}`);
    else if (used !== before) parts.push(`H${at}V${y(used).toFixed(1)}`);
    before = used;
  });
  if (before !== null) parts.push(`H${x(view.until).toFixed(1)}`);
  return parts.join("");
}

function ticks(since, until, width) {
  const most = Math.max(2, Math.floor(width / 85));
  const least = (until - since) > 2 * 86_400 ? 86_400 : 0;
  const step = STEPS.find((one) => one >= least && (until - since) / one <= most) ?? 86_400 * Math.ceil((until - since) / 86_400 / most);
  // On the reader's own hours and days.
  const offset = new Date(until * 1000).getTimezoneOffset() * 60;
  const found = [];
  for (let at = Math.ceil((since - offset) / step) * step + offset; at < until; at += step) {
    if (at - since > (until - since) * 0.03 && until - at > (until - since) * 0.03) found.push(at);
  }
  return found;
}

function label(at, range) {
  const day = new Date(at * 1000);
  if (range > 2 * 86_400) return `${["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"][day.getDay()]} ${day.getDate()}`;
  return `${String(day.getHours()).padStart(2, "0")}:${String(day.getMinutes()).padStart(2, "0")}`;
}

function told(view, shown, wanted) {
  const last = shown.map((one) => {
    const used = one.used.at(-1) ?? null;
    return `${one.account} ${used === null ? "unknown" : `${used.toFixed(1)} %`}`;
  });
  return `The ${windowName(wanted)} window since ${moment(view.since * 1000)}: now ${last.join(", ") || "nothing known"}; ${many(view.swaps.length, "swap")}`;
}

export function chooseWindows(accounts) {
  const names = [...new Set(accounts.flatMap((one) => one.windows.map((window) => window.window)))];
  keyed(byId("window"), names, (one) => one, (one) => h("option", { value: one }), (row, one) => text(row, windowName(one)));
}
