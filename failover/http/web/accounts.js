// Accounts: both windows as bars with their threshold, when they open again, and what is expected.

import { attr, byId, h, keyed, part, style, text } from "./dom.js";
import { countdown, many, span, windowName } from "./words.js";

const hues = new Map();

// Accounts keep the hue of their place in the configuration; of those that are none any more it is the last one.
export const hue = (name) => (hues.has(name) ? hues.get(name) % 6 : 6);

export function drawAccounts(accounts, orders) {
  accounts.forEach((account, place) => hues.set(account.name, place));
  keyed(byId("accounts"), accounts, (one) => one.name, (one) => make(one, orders), update);
}

function make(account, orders) {
  return h("li.account", {},
    h("div.account-head", {},
      h("span.dot", { "data-part": "dot", "aria-hidden": "true" }),
      h("h3.name", { title: account.name }, account.name),
      h("span.kind", { "data-part": "kind" }),
      h("span.load", { "data-part": "load" }),
      h("button.quiet", {
        type: "button", "data-order": "", onclick: () => orders.swap({ to: account.name }),
        "aria-label": `Move sessions to ${account.name}`, title: "Move sessions here",
      }, "Move here…")),
    h("div.windows", { "data-part": "windows" }),
    h("p.against", { "data-part": "against" }));
}

function update(row, account) {
  attr(part(row, "dot"), "data-hue", hue(account.name));
  text(part(row, "load"), account.sessions ? many(account.sessions, "session") : "no session");
  const kinds = [account.kind === "subscription" ? "" : account.kind.replaceAll("_", " "), account.paid.replaceAll("_", " ")];
  text(part(row, "kind"), kinds.filter(Boolean).join(", "));
  text(part(row, "against"), account.against || "could take sessions");
  attr(part(row, "against"), "class", account.against ? "against" : "against good");
  attr(row, "class", account.enabled ? "account" : "account off");
  keyed(part(row, "windows"), account.windows, (one) => one.window, makeWindow, updateWindow);
}

function makeWindow(view) {
  return h("div.window", { role: "meter", "aria-valuemin": "0", "aria-valuemax": "100" },
    h("span.window-name", {}, windowName(view.window)),
    h("span.bar", { "aria-hidden": "true" },
      h("span.fill", { "data-part": "fill" }), h("span.mark", { "data-part": "mark" })),
    h("span.used", { "data-part": "used" }),
    h("span.resets", { "data-part": "resets" }),
    h("span.outlook", { "data-part": "outlook" }));
}

function updateWindow(row, view) {
  row.view = view;
  const known = view.used !== null;
  const level = !known ? "unknown" : view.used >= view.threshold ? "over" : view.used >= view.threshold - 10 ? "near" : "";
  attr(row, "class", `window ${level}`.trim());
  style(part(row, "fill"), "transform", `scaleX(${known ? Math.min(1, Math.max(0, view.used / 100)) : 0})`);
  style(part(row, "mark"), "left", `${Math.min(100, view.threshold)}%`);
  text(part(row, "used"), known ? `${view.used.toFixed(1)} %` : "unknown");
  tick(row);
}

function tick(row) {
  const view = row.view;
  const now = Date.now() / 1000;
  const left = view.resets_at && view.resets_at > now ? countdown(view.resets_at - now) : "";
  text(part(row, "resets"), left ? `↻ ${left}` : "");
  const outlook = foresee(view, now);
  text(part(row, "outlook"), outlook);
  const used = view.used === null ? "unknown" : `${view.used.toFixed(1)} % used`;
  attr(row, "aria-label", `${windowName(view.window)} window`);
  attr(row, "aria-valuenow", view.used === null ? null : view.used);
  attr(row, "aria-valuetext", `${used}, threshold ${view.threshold} %${left ? `, resets in ${left}` : ""}${outlook ? `, ${outlook}` : ""}`);
  attr(row, "title", `threshold ${view.threshold} %${view.observed_ms ? `; read ${span(now - view.observed_ms / 1000)} ago by ${view.source}` : ""}`);
}

function foresee(view, now) {
  if (view.used === null) return view.ended ? "unknown since its reset" : "nobody has read it";
  if (view.used >= view.threshold) return "threshold reached";
  const seen = view.forecast;
  if (!seen) return "";
  if (seen.crosses === null) return "lasts to its reset";
  const early = seen.earliest === null ? "" : countdown(seen.earliest - now);
  const late = seen.latest === null ? "reset" : countdown(seen.latest - now);
  return `${view.threshold} % in ${countdown(seen.crosses - now)}${early ? ` (${early}–${late})` : ""}`;
}

// Countdowns go on between two looks.
export function tickAccounts() {
  for (const row of document.querySelectorAll(".window")) if (row.view) tick(row);
}
