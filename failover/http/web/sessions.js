// The sessions: where each is, what it does, and how far its move is.

import { hue } from "./accounts.js";
import { attr, byId, h, keyed, part, text } from "./dom.js";
import { last, OVER, span, stepName, STEPS, tokens } from "./words.js";

const PLACE = new Map(STEPS.map(([name], place) => [name, place]));
const GOOD = new Set(["verified", "stopped"]);

export function drawSessions(status, orders) {
  const moves = new Map((status.swap?.moves ?? []).map((move) => [move.session, move]));
  keyed(
    byId("rows"), status.sessions, (one) => one.name, (one) => make(one, orders),
    (row, one) => update(row, one, moves.get(one.name)),
  );
  const counts = new Map();
  for (const one of status.sessions) counts.set(one.state, (counts.get(one.state) ?? 0) + 1);
  text(byId("states"), [...counts].sort().map(([state, count]) => `${count} ${state}`).join(" · "));
}

function make(session, orders) {
  const cell = (name, ...children) => h(`td.${name}`, { role: "cell" }, ...children);
  const row = h("tr", { role: "row" },
    h("th.c-name", { role: "rowheader", scope: "row" },
      h("button.row", { type: "button", onclick: () => orders.session(row.session) }, session.name)),
    cell("c-state", h("span.state", { "data-part": "state" }), h("span.for", { "data-part": "for" })),
    cell("c-account", h("span.dot", { "data-part": "dot", "aria-hidden": "true" }), h("span.account-name", { "data-part": "account" })),
    cell("c-context.num", h("span", { "data-part": "context" })),
    cell("c-task", h("span.clip", { "data-part": "task" })),
    cell("c-move",
      h("span.track", { "data-part": "track", "aria-hidden": "true" }, ...STEPS.map(() => h("i"))),
      h("span.step.clip", { "data-part": "step" })));
  return row;
}

function update(row, session, move) {
  row.session = session;
  text(part(row, "state"), session.state);
  attr(part(row, "state"), "data-state", session.state);
  attr(part(row, "dot"), "data-hue", hue(session.account));
  const leaves = move && !OVER.has(move.state) && move.target && move.target !== session.account;
  text(part(row, "account"), leaves ? `${session.account} → ${move.target}` : session.account || "–");
  text(part(row, "context"), tokens(session.context));
  const doing = session.task || session.waiting_for || session.note || last(session.project);
  text(part(row, "task"), doing);
  attr(part(row, "task"), "title", doing);
  attr(part(row, "task"), "data-what", session.task ? "task" : session.waiting_for || session.note ? "note" : "project");
  const place = move ? (PLACE.get(move.state === "leaving" ? "stopping" : move.state) ?? STEPS.length - 1) : -1;
  const look = !move ? "" : !OVER.has(move.state) ? "open" : GOOD.has(move.state) ? "good" : "bad";
  attr(part(row, "track"), "data-look", look);
  [...part(row, "track").children].forEach((pip, at) => attr(pip, "class", at < place ? "past" : at === place ? "here" : null));
  text(part(row, "step"), move ? stepName(move.state) : "");
  attr(part(row, "step"), "title", move?.why ?? null);
  tick(row);
}

function tick(row) {
  const session = row.session;
  text(part(row, "for"), session.since_ms ? span((Date.now() - session.since_ms) / 1000) : "");
}

export function tickSessions() {
  for (const row of byId("rows").children) tick(row);
}
