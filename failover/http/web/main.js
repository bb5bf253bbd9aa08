// The page: reads the state, hears events, and draws what changed. An event is a doorbell; what is shown is the store's.

import { drawAccounts, tickAccounts } from "./accounts.js";
import { ask, forgetToken, keepToken, Refusal, takeToken, token } from "./api.js";
import { drawCounts, drawEvents, drawRoles, drawTasks } from "./aside.js";
import { attr, byId, text } from "./dom.js";
import { Orders } from "./orders.js";
import { chooseWindows, drawPlot } from "./plot.js";
import { drawSessions, tickSessions } from "./sessions.js";
import { STALE, Stream } from "./stream.js";
import { drawNow, drawSwaps, tickNow } from "./swap.js";
import { clock, span } from "./words.js";

// Roles die without a word, so the state is looked at without being told to as well (milliseconds).
const LOOK = 5000;
const KEPT_EVENTS = 1000;
// A page that nobody looks at lets its stream go: browsers allow few connections to a host (milliseconds).
const ASLEEP_AFTER = 60_000;

const state = { status: null, accounts: [], tasks: [], swaps: [], usage: null, events: [], scope: "" };
let link = { kind: "", since: 0, again: 0 };

// Parts of the state: where each is read, and the least time between two readings (milliseconds).
const PARTS = {
  status: { path: () => "/v1/status", gap: 150, draw: drawStatus },
  accounts: { path: () => "/v1/accounts?forecast=true", gap: 1000, draw: drawPool },
  tasks: { path: () => "/v1/tasks?limit=200", gap: 400, draw: () => { drawTasks(state.tasks, orders); rights(); } },
  swaps: { path: () => "/v1/swaps?limit=60", gap: 400, draw: drawPast },
  usage: { path: usagePath, gap: 10_000, draw: plot },
};

// As many points as a chart has columns. Where it begins moves on by whole minutes, so that it is one address for a while.
function usagePath() {
  const seconds = Number(byId("since").value);
  return `/v1/usage?since=${Math.floor(Date.now() / 60_000) * 60 - seconds}&step=${seconds / 600}`;
}

// Which parts an event may have changed; the first prefix that fits counts.
const RINGS = [
  ["swap.move-advanced", "status"], ["swap.hold-changed"], ["swap.", "status", "swaps", "accounts", "usage"],
  ["session.", "status"], ["task.", "status", "tasks"], ["operator.account", "status", "accounts"],
  ["operator.", "status"], ["usage.pushed"], ["usage.", "status", "accounts", "usage"], ["role.", "status"],
];

const orders = new Orders(() => state, rights);
const stream = new Stream({ heard, state: linked, denied });

// Read a part soon: at once when it was not read lately, and never twice at a time.
function want(name) {
  const one = PARTS[name];
  if (one.timer) return;
  if (one.busy) {
    one.again = true;
    return;
  }
  one.timer = setTimeout(() => read(name), one.at === undefined ? 0 : Math.max(0, one.at + one.gap - performance.now()));
}

async function read(name) {
  const one = PARTS[name];
  one.timer = 0;
  if (!token() || document.hidden) return;
  one.busy = true;
  one.at = performance.now();
  try {
    const path = one.path();
    const found = await ask(path);
    if (path !== one.path()) one.again = true;
    state[name] = found;
    one.draw();
  } catch (error) {
    if (error instanceof Refusal && error.status === 401) denied(error);
    else if (error instanceof Refusal) {
      text(byId("whole"), error.message);
      attr(byId("whole"), "data-look", "bad");
    }
    // Otherwise the stream tells of a control plane that is gone, and all is read again when it is back.
  } finally {
    one.busy = false;
    if (one.again) {
      one.again = false;
      want(name);
    }
  }
}

const readAll = () => Object.keys(PARTS).forEach(want);

function heard(envelope) {
  if (state.events.length && envelope.id <= state.events.at(-1).id) return;
  state.events.push(envelope);
  if (state.events.length > KEPT_EVENTS) state.events.splice(0, state.events.length - KEPT_EVENTS / 2);
  orders.heard(envelope.event);
  const { type, kind } = envelope.event;
  const [, ...names] = RINGS.find(([prefix]) => type.startsWith(prefix)) ?? [];
  (kind === "fresh" ? ["status"] : names).forEach(want);
  laterEvents();
}

let drawing = 0;
function laterEvents() {
  drawing ||= setTimeout(() => {
    drawing = 0;
    drawEvents(state.events);
  }, 50);
}

function drawStatus() {
  const { status } = state;
  drawSessions(status, orders);
  drawNow(status, state.swaps.find((one) => one.state !== "open"));
  drawCounts(status);
  drawRoles(status);
  orders.progress(status.swap);
  ready();
  text(byId("pause"), status.paused_by ? "Resume…" : "Pause…");
  attr(document.documentElement, "data-paused", status.paused_by ? "yes" : null);
  document.title = status.swap ? `${status.swap.kind} ${status.swap.id} · claude-failover` : "claude-failover";
}

function drawPast() {
  state.swaps = state.swaps.filter((one) => one.kind !== "fresh");
  drawSwaps(state.swaps);
  if (state.status) drawStatus();
}

function drawPool() {
  drawAccounts(state.accounts, orders);
  chooseWindows(state.accounts);
  if (!byId("plot").firstChild) plot();
  rights();
  ready();
  if (state.status) drawSessions(state.status, orders);
}

function plot() {
  if (state.usage && byId("window").value) drawPlot(state.usage, byId("window").value);
}

// A token that may only read: what orders stands there, shut, and says why.
function rights() {
  const shut = state.scope === "read";
  attr(document.documentElement, "data-scope", state.scope || null);
  for (const button of document.querySelectorAll("[data-order]")) {
    if (shut) {
      button.disabled = true;
      attr(button, "aria-describedby", "why");
      attr(button, "title", "This token may only read");
    }
  }
  byId("why").hidden = !shut;
  text(byId("why"), shut ? "This token may only read; orders need the other one: claude-failover page" : "");
}

// Nothing can be ordered before it is known what there is.
function ready() {
  if (state.scope === "read" || !state.status || !state.accounts.length) return;
  byId("swap").disabled = byId("pause").disabled = false;
}

function linked(kind, { since = 0, again = 0 } = {}) {
  const was = link.kind;
  link = { kind, since, again };
  attr(document.documentElement, "data-link", kind);
  tickLink();
  if (kind === "gone" && was === "live") text(byId("link-said"), `No connection to the control plane since ${clock(since)}`);
  if (kind === "live" && was === "gone") {
    text(byId("link-said"), "The connection is back");
    if (since && Date.now() - since > STALE) open();
    else scope().then(readAll, () => {});
  }
}

function tickLink() {
  const now = Date.now();
  const gone = `no connection since ${clock(link.since)} (${span((now - link.since) / 1000)}), trying again ${link.again > now + 1000 ? `in ${span((link.again - now) / 1000)}` : "now"}`;
  text(byId("link"), link.kind === "live" ? "live" : link.kind === "gone" ? gone : "");
}

function denied(error) {
  stream.stop();
  forgetToken();
  close(error.status === 401 ? "That token is not the one of this control plane." : error.message);
}

function close(words) {
  attr(document.documentElement, "data-link", null);
  byId("dialog").close();
  byId("pool").hidden = true;
  byId("gate").hidden = false;
  byId("denied").hidden = !words;
  text(byId("denied"), words);
  text(byId("link"), "");
  text(byId("whole"), "");
  byId("given").focus();
}

async function scope() {
  state.scope = (await ask("/v1/scope")).scope;
  rights();
}

let opening = 0;
async function open() {
  const own = ++opening;
  stream.stop();
  if (!token()) {
    close("");
    return;
  }
  byId("gate").hidden = true;
  byId("pool").hidden = false;
  for (let tries = 0; ; tries++) {
    try {
      await scope();
      state.events = await ask(`/v1/events?limit=${KEPT_EVENTS}`);
      if (own !== opening) return;
      break;
    } catch (error) {
      if (own !== opening) return;
      if (error instanceof Refusal && error.status < 500) {
        denied(error);
        return;
      }
      const wait = Math.min(5000, 250 * 2 ** tries) * (0.5 + Math.random() / 2);
      linked("gone", { since: link.since || Date.now(), again: Date.now() + wait });
      await new Promise((over) => setTimeout(over, wait));
      if (own !== opening) return;
    }
  }
  drawEvents(state.events);
  // From the last one that is shown on: nothing is missed between the two.
  stream.start(state.events.at(-1)?.id ?? 0);
  readAll();
}

byId("gate").addEventListener("submit", (event) => {
  event.preventDefault();
  keepToken(byId("given").value);
  byId("given").value = "";
  open();
});
byId("range").addEventListener("submit", (event) => event.preventDefault());
byId("window").addEventListener("change", plot);
byId("since").addEventListener("change", () => {
  PARTS.usage.at = undefined;
  want("usage");
});
let drawn = 0;
new ResizeObserver(([{ contentRect }]) => {
  if (contentRect.width !== drawn) plot();
  drawn = contentRect.width;
}).observe(byId("plot"));
addEventListener("hashchange", () => {
  if (takeToken()) location.reload();
});
let sleep = 0;
document.addEventListener("visibilitychange", () => {
  clearTimeout(sleep);
  if (document.hidden) sleep = setTimeout(() => stream.stop(), ASLEEP_AFTER);
  else if (stream.stopped && token()) open();
  else {
    stream.hurry();
    readAll();
  }
});
setInterval(() => {
  if (document.hidden) return;
  tickAccounts();
  tickSessions();
  tickLink();
}, 1000);
setInterval(() => {
  if (!document.hidden && state.status?.swap) tickNow();
}, 100);
setInterval(() => {
  if (!byId("pool").hidden && link.kind === "live") want("status");
}, LOOK);

takeToken();
open();
