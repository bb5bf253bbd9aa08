// The swap that is under way, or what the policy makes of things while there is none; and the swaps that were.

import { ask } from "./api.js";
import { hue } from "./accounts.js";
import { attr, byId, h, keyed, part, text } from "./dom.js";
import { many, moment, OVER, stepName, STEPS, took } from "./words.js";

let open = null;
let spoken = "";

// Restarts and stops go nowhere.
function route(swap) {
  const targets = swap.targets.filter((name) => name !== swap.source).join(", ");
  return targets ? `${swap.source} → ${targets}` : swap.source;
}
const arrived = (swap) => swap.moves.filter((move) => OVER.has(move.state)).length;

export function drawNow(status, latest) {
  // New conversations begin one at a time and by the thousand; their rows tell of them.
  open = status.swap?.kind === "fresh" ? null : status.swap;
  const shown = open ?? latest;
  attr(byId("now"), "data-open", open ? "yes" : null);
  if (!shown) {
    text(byId("now-title"), "Nothing was swapped yet");
  } else if (open) {
    text(byId("now-title"), `${open.kind} ${open.id}: ${route(open)}, ${arrived(open)} of ${many(open.moves.length, "session")} there`);
  } else {
    text(byId("now-title"), `Last: ${shown.kind} ${shown.id}, ${route(shown)}, ${shown.state}`);
  }
  const decided = status.decision?.reason ? `Policy: ${status.decision.reason}` : "Policy: nothing decided yet";
  const reason = status.paused_by ? `Paused by ${status.paused_by}: nothing is started or moved, everything is watched.` : decided;
  text(byId("now-reason"), open ? `Because ${open.reason}` : reason);
  attr(byId("now-reason"), "title", byId("now-reason").textContent);
  const counts = new Map();
  for (const move of shown?.moves ?? []) counts.set(move.state, (counts.get(move.state) ?? 0) + 1);
  const other = [...counts].filter(([state]) => !STEPS.some(([name]) => name === state));
  const rest = other.reduce((sum, [, count]) => sum + count, 0);
  const steps = [
    ...STEPS.map(([name, words]) => ({ name, words, count: counts.get(name) ?? 0 })),
    { name: "other", words: other.map(([state]) => stepName(state)).join(", ") || "elsewhere", count: rest },
  ];
  keyed(byId("steps"), steps, (one) => one.name,
    () => h("li", {}, h("b", { "data-part": "count" }), h("span", { "data-part": "words" })),
    (row, one) => {
      text(part(row, "count"), String(one.count));
      text(part(row, "words"), one.words);
      attr(row, "class", [one.count ? "some" : "none", one.name].join(" "));
    });
  tickNow(shown);
  speak(status, latest);
}

export function tickNow(shown = open) {
  if (shown) text(byId("now-time"), took((shown.finished_ms || Date.now()) - shown.started_ms));
}

// What a screen reader is told: a swap's beginning, each arrival, its end.
function speak(status, latest) {
  const words = open
    ? `${open.kind} ${open.id} from ${route(open)}: ${arrived(open)} of ${many(open.moves.length, "session")} there`
    : latest && spoken ? `${latest.kind} ${latest.id} ${latest.state}: ${latest.sentence}` : "";
  if (words && words !== spoken) {
    spoken = words;
    text(byId("said"), words);
  }
}

export function drawSwaps(swaps) {
  keyed(byId("swaps"), swaps, (one) => one.id, make, update);
}

function make() {
  const row = h("li", {}, h("details", { ontoggle: () => fill(row) },
    h("summary", {},
      h("span.id", { "data-part": "id" }), h("span.at", { "data-part": "at" }), h("span.route", { "data-part": "route" }),
      h("span.state", { "data-part": "state" }), h("span.num.took", { "data-part": "took" }),
      h("span.clip.what", { "data-part": "what" })),
    h("div.moves", { "data-part": "moves" })));
  return row;
}

function update(row, swap) {
  row.swap = swap;
  text(part(row, "id"), `${swap.kind} ${swap.id}`);
  text(part(row, "at"), moment(swap.started_ms));
  text(part(row, "route"), route(swap));
  text(part(row, "state"), swap.state);
  attr(part(row, "state"), "data-state", swap.state);
  text(part(row, "took"), swap.finished_ms ? took(swap.finished_ms - swap.started_ms) : "");
  text(part(row, "what"), swap.sentence || swap.reason);
  fill(row);
}

// What it was in full is asked for when it is opened.
async function fill(row) {
  if (!row.firstChild.open) return;
  const { swap } = row;
  const told = JSON.stringify(swap);
  if (row.told === told) return;
  row.told = told;
  const place = part(row, "moves");
  try {
    const detail = await ask(`/v1/swaps/${swap.id}`);
    if (row.told !== told) return;
    place.replaceChildren(
      h("p", {}, `${swap.sentence ? `${swap.sentence}. ` : ""}${swap.urgency}: ${swap.reason}`), movesTable(detail.moves));
  } catch (error) {
    row.told = "";
    place.replaceChildren(h("p.bad", {}, error.message));
  }
}

// Between which states each part of a move lies. At rest nothing is answered.
const SPANS = [["waited", "holding", "stopping"], ["away"], ["answer", "answering", "verified"]];

function movesTable(moves) {
  const heads = ["session", "from", "to", "state", ...SPANS.map(([name]) => name), "why"];
  return h("div.scroll", {}, h("table", {},
    h("thead", {}, h("tr", {}, ...heads.map((name, at) => h(at > 3 && at < 7 ? "th.num" : "th", { scope: "col" }, name)))),
    h("tbody", {}, ...moves.map(line))));
}

function line({ move, source, entered, away }) {
  const seconds = ([name, from, to]) => (name === "away" ? away : entered[from] !== undefined && entered[to] !== undefined ? entered[to] - entered[from] : null);
  const shown = (value) => (value === null ? "" : took(value * 1000));
  const account = (name) => h("td", {}, name ? h("span.dot", { "data-hue": hue(name), "aria-hidden": "true" }) : "", name);
  return h("tr", {}, h("th", { scope: "row" }, move.session), account(source), account(move.target),
    h("td", {}, stepName(move.state)), ...SPANS.map((one) => h("td.num", {}, shown(seconds(one)))), h("td.why-cell", {}, move.why));
}
