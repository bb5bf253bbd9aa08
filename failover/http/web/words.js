// Figures and states in words, as the command line has them.

export function span(seconds) {
  const left = Math.max(0, Math.floor(seconds));
  for (const [unit, length] of [["d", 86400], ["h", 3600], ["m", 60]]) {
    if (left >= 2 * length) return `${Math.floor(left / length)}${unit}`;
  }
  return `${left}s`;
}

export function countdown(seconds) {
  const left = Math.max(0, Math.floor(seconds));
  for (const [unit, length, lower, size] of [["d", 86400, "h", 3600], ["h", 3600, "m", 60]]) {
    if (left >= length) {
      return `${Math.floor(left / length)}${unit}${String(Math.floor((left % length) / size)).padStart(2, "0")}${lower}`;
    }
  }
  return left < 60 ? `${left}s` : `${Math.floor(left / 60)}m`;
}

export const took = (ms) => (ms < 100_000 ? `${(Math.max(0, ms) / 1000).toFixed(1)} s` : span(ms / 1000));

const pad = (number) => String(number).padStart(2, "0");

export function clock(ms) {
  const at = new Date(ms);
  return `${pad(at.getHours())}:${pad(at.getMinutes())}:${pad(at.getSeconds())}`;
}

export function moment(ms) {
  const at = new Date(ms);
  const today = new Date().toDateString() === at.toDateString();
  return today ? clock(ms) : `${pad(at.getMonth() + 1)}-${pad(at.getDate())} ${pad(at.getHours())}:${pad(at.getMinutes())}`;
}

export function tokens(count) {
  if (!count) return "";
  if (count >= 1_000_000) return `${(count / 1_000_000).toFixed(1)} M`;
  return count >= 1000 ? `${Math.round(count / 1000)} k` : String(count);
}

const WINDOWS = { five_hour: "5 h", seven_day: "7 d", spend: "money" };
export const windowName = (name) => WINDOWS[name] ?? name.replace(/^seven_day_/, "").replaceAll("_", " ");

export const many = (count, word) => `${count} ${word}${count === 1 ? "" : "s"}`;

export const last = (path) => path.split("/").filter(Boolean).at(-1) ?? path;

// The steps of a move in their order, in words.
export const STEPS = [
  ["queued", "queued"], ["holding", "holding"], ["at_boundary", "at boundary"], ["checkpointed", "checkpointed"],
  ["stopping", "stopping"], ["dead", "proven dead"], ["relaunching", "relaunching"], ["relaunched", "relaunched"],
  ["answering", "answering"], ["verified", "verified"],
];
export const OVER = new Set(["verified", "stopped", "stayed", "yielded", "parked", "failed"]);
export const stepName = (state) => STEPS.find(([name]) => name === state)?.[1] ?? state;

// What an event tells a person, empty for those that only ring.
export function sentence(event) {
  switch (event.type) {
    case "usage.swap-wanted": return `swap wanted: ${event.source} to ${event.target}, because ${event.reason}`;
    case "usage.all-exhausted": return `no account has room: ${event.reason}`;
    case "usage.noted": return event.sentence;
    case "account.login-expires": return `the login of ${event.account} ends ${moment(event.expires_at * 1000)}`;
    case "swap.started":
      return `${event.kind} ${event.swap} began: ${many(event.sessions.length, "session")} from ${event.source}` +
        (event.target ? ` to ${event.target}` : "");
    case "swap.move-advanced": return `${event.session} ${stepName(event.state)}${event.why ? `: ${event.why}` : ""}`;
    case "swap.retargeted": return `swap ${event.swap} goes to ${event.target} now: ${event.why}`;
    case "swap.finished": return `${event.kind} ${event.swap} ${event.outcome}: ${event.sentence}`;
    case "session.changed": return `${event.session} is ${event.state}`;
    case "session.died": return `${event.session} died`;
    case "session.adopted": return `${event.session} was adopted on ${event.account}`;
    case "session.turned": return `${event.session} is in another conversation now`;
    case "session.launched": return `${event.session} started on ${event.account}`;
    case "task.queued": return `task ${event.name} queued`;
    case "task.dispatched": return `task ${event.name} given to ${event.session}`;
    case "task.blocked": return `task ${event.name} waits for a person (${event.session}: ${event.waiting_for})`;
    case "task.unblocked": return `task ${event.name} goes on`;
    case "task.retried": return `task ${event.name} is tried again, by ${event.by}`;
    case "task.finished": return `task ${event.name} ${event.outcome}${event.reason ? `: ${event.reason}` : ""}`;
    case "operator.paused": return `paused by ${event.by}`;
    case "operator.resumed": return `resumed by ${event.by}`;
    case "operator.account-disabled": return `${event.account} disabled by ${event.by}`;
    case "operator.account-enabled": return `${event.account} enabled by ${event.by}`;
    case "operator.order-done": return `order ${event.order} ${event.outcome}: ${event.sentence}`;
    case "role.started": return `${event.role} started`;
    default: return "";
  }
}
