// The queue, the roles of the daemon, and the last events.

import { attr, byId, h, keyed, part, text } from "./dom.js";
import { clock, sentence, span } from "./words.js";

const ORDER = ["queued", "delivering", "running", "blocked", "done", "failed"];
// So many tasks and events are shown at most.
const TASKS = 40;
const EVENTS = 80;

export function drawCounts(status) {
  text(byId("counts"), ORDER.filter((state) => status.tasks[state]).map((state) => `${status.tasks[state]} ${state}`).join(" · ") || "no task");
}

// The open ones, then those that failed, then the newest of the others.
export function drawTasks(tasks, orders) {
  const rank = (task) => ({ blocked: 0, running: 1, delivering: 1, queued: 2, failed: 3 })[task.state] ?? 4;
  const shown = tasks.map((task, place) => [rank(task), place, task]).sort((a, b) => a[0] - b[0] || a[1] - b[1]);
  keyed(byId("tasks"), shown.slice(0, TASKS).map(([, , task]) => task), (one) => one.id, (one) => make(one, orders), update);
}

function make(task, orders) {
  const row = h("li", {},
    h("span.state", { "data-part": "state" }),
    h("span.clip.name", { title: task.name }, task.name),
    h("span.who", { "data-part": "who" }),
    h("button.quiet", { type: "button", "data-order": "", "data-part": "retry", "aria-label": `Retry ${task.name}`, onclick: () => orders.retry(row.task) }, "Retry…"));
  return row;
}

function update(row, task) {
  row.task = task;
  text(part(row, "state"), task.state);
  attr(part(row, "state"), "data-state", task.state);
  const at = task.finished_ms || task.started_ms || task.queued_ms;
  text(part(row, "who"), [task.detail?.session, at ? span((Date.now() - at) / 1000) : ""].filter(Boolean).join(" "));
  attr(part(row, "retry"), "hidden", task.state !== "failed");
  attr(row, "title", task.detail?.blocked || task.detail?.finish?.reason || task.detail?.reason || null);
}

export function drawRoles(status) {
  const running = status.roles.filter((role) => role.running).length;
  const whole = running === status.roles.length;
  text(byId("roles-sum"), `${running} of ${status.roles.length} run`);
  text(byId("whole"), `${running} of ${status.roles.length} roles run${status.paused_by ? ` · paused by ${status.paused_by}` : ""}`);
  attr(byId("whole"), "data-look", !whole ? "bad" : status.paused_by ? "paused" : "good");
  keyed(byId("roles"), status.roles, (one) => one.role,
    (one) => h("li", {}, h("span.lamp", { "aria-hidden": "true" }), h("span", {}, one.role), h("span.down", { "data-part": "down" })),
    (row, role) => {
      attr(row, "class", role.running ? "runs" : "down");
      text(part(row, "down"), role.running ? "" : role.pid ? "down" : "never ran");
      attr(row, "title", role.did || null);
    });
}

export function drawEvents(envelopes) {
  const shown = envelopes.filter((one) => sentence(one.event)).slice(-EVENTS).reverse();
  keyed(byId("events"), shown, (one) => one.id,
    (one) => h("li", { "data-event": String(one.id), "data-type": one.event.type },
      h("time", { datetime: new Date(one.at_ms).toISOString() }, clock(one.at_ms)), h("span", {}, sentence(one.event))),
    () => {});
}
