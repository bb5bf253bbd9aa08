// Orders: each is confirmed in a dialog, and followed to its end in a note.

import { ask, passes, place } from "./api.js";
import { attr, byId, h, text } from "./dom.js";
import { many, OVER, span, stepName, tokens } from "./words.js";

// How often an order is looked after whose end was not heard (milliseconds).
const LOOK = 2000;

export class Orders {
  // view(): {status, tasks} as last read; rights(): shuts the buttons that the token does not open
  constructor(view, rights) {
    this.view = view;
    this.rights = rights;
    this.ends = new Map();
    this.notes = new Map();
    byId("swap").addEventListener("click", () => this.swap({}));
    byId("pause").addEventListener("click", () => this.pause());
  }

  // Look at once after an order whose end was told of.
  heard(event) {
    if (event.type === "operator.order-done") this.ends.get(event.order)?.();
  }

  async result(number) {
    for (;;) {
      try {
        const { result } = await ask(`/v1/orders/${number}`);
        if (result) return result;
      } catch (error) {
        if (!passes(error)) throw error;
      }
      await new Promise((over) => {
        const timer = setTimeout(over, LOOK);
        this.ends.set(number, () => {
          clearTimeout(timer);
          over();
        });
      });
      this.ends.delete(number);
    }
  }

  // Place an order and show what becomes of it.
  async give(words, verb, args) {
    const said = h("span.said", {}, `${words}: sent`);
    const course = h("span.course", { "aria-hidden": "true" });
    const note = h("li", { "data-look": "open" }, said, course,
      h("button.quiet", { type: "button", "aria-label": `Put away: ${words}`, onclick: () => note.remove() }, "✕"));
    attr(said, "role", "status");
    byId("notes").append(note);
    try {
      const answer = await place(verb, args);
      if (!answer.order) return this.end(note, said, "done", `${words}: ${answer.sentence}`);
      attr(note, "data-order-id", String(answer.order));
      text(said, `${words}: order ${answer.order} is under way`);
      this.notes.set(answer.order, course);
      const result = await this.result(answer.order);
      this.notes.delete(answer.order);
      text(course, "");
      return this.end(note, said, result.outcome, `${words} ${result.outcome}: ${result.sentence}`);
    } catch (error) {
      return this.end(note, said, error.status === 409 ? "refused" : "failed", `${words} ${error.status === 409 ? "refused" : "failed"}: ${error.message}`);
    }
  }

  end(note, said, outcome, words) {
    attr(note, "data-look", outcome);
    text(said, words);
    return outcome;
  }

  // How far the swaps of our orders are.
  progress(swap) {
    const course = swap && this.notes.get(swap.order);
    if (course) text(course, `${swap.moves.filter((move) => OVER.has(move.state)).length} of ${many(swap.moves.length, "session")} there`);
  }

  show(title, content, buttons, leave = "Cancel") {
    const dialog = byId("dialog");
    const close = () => dialog.close();
    const form = h("form", { onsubmit: (event) => event.preventDefault() }, h("h2", { id: "dialog-title" }, title), ...content,
      h("div.buttons", {}, h("button", { type: "button", onclick: close }, leave), ...buttons));
    dialog.replaceChildren(form);
    attr(dialog, "aria-labelledby", "dialog-title");
    this.rights();
    if (!dialog.open) dialog.showModal();
    return form;
  }

  // One question, one order.
  confirm(title, words, button, label, verb, args) {
    const yes = h("button.main", { "data-order": "" }, button);
    const form = this.show(title, words.map((one) => h("p", {}, one)), [yes]);
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      byId("dialog").close();
      this.give(label, verb, args);
    });
    yes.focus();
  }

  pause() {
    const by = this.view().status.paused_by;
    if (by) this.confirm("Resume", [`It was paused by ${by}. Tasks are given out and sessions moved again.`], "Resume", "resume", "resume", {});
    else this.confirm("Pause", ["Nothing is started or moved until it is resumed. Sessions work on, and everything is still watched."], "Pause", "pause", "pause", {});
  }

  restart(name) {
    this.confirm("Restart a session", [`${name} is stopped at its next boundary, so that nothing is lost, and started again on the same account and conversation.`],
      "Restart", `restart ${name}`, "restart", { sessions: [name] });
  }

  retry(task) {
    const failed = task.detail?.finish?.reason;
    this.confirm("Retry a task", [task.name, ...(failed ? [`It failed: ${failed}`] : []), "It is put back into its inbox, with as many attempts as at first."],
      "Retry", `retry ${task.name}`, "retry", { task: task.id });
  }

  session(session) {
    const facts = [
      ["state", `${session.state}${session.since_ms ? ` for ${span((Date.now() - session.since_ms) / 1000)}` : ""}`],
      ["account", `${session.account}${session.pinned ? `, a person's choice: ${session.pinned}` : ""}`],
      ["task", session.task], ["waits for", session.waiting_for], ["note", session.note],
      ["context", session.context ? `${tokens(session.context)} tokens` : ""],
      ["project", session.project], ["conversation", session.conversation], ["process", session.pid ? String(session.pid) : ""],
    ];
    const move = this.view().status.swap?.moves.find((one) => one.session === session.name);
    if (move) facts.push(["move", `${stepName(move.state)}${move.target ? `, to ${move.target}` : ""}${move.why ? `: ${move.why}` : ""}`]);
    const content = [h("dl.facts", {}, ...facts.filter(([, value]) => value).flatMap(([name, value]) => [h("dt", {}, name), h("dd", {}, value)]))];
    this.show(session.name, content, [
      h("button", { type: "button", "data-order": "", onclick: () => this.swap({ session: session.name }) }, "Move…"),
      h("button", { type: "button", "data-order": "", onclick: () => this.restart(session.name) }, "Restart…"),
    ], "Close");
  }

  // First what would move and the bill, then the order. The order is of what was shown: another choice, another look.
  swap({ to = "", session = "" }) {
    const { status } = this.view();
    const living = status.sessions.filter((one) => one.pid);
    const target = h("select", { name: "to", id: "swap-to" },
      h("option", { value: "" }, "where the policy would go"),
      ...status.accounts.map((one) => h("option", { value: one.name }, `${one.name}${one.against ? ` (${one.against})` : ""}`)));
    target.value = to;
    const boxes = living.map((one) => h("input", { type: "checkbox", value: one.name }));
    boxes.forEach((box) => { box.checked = box.value === session; });
    const some = h("details", {}, h("summary", {}, "Only some sessions"),
      h("div.picks", {}, ...living.map((one, at) => h("label", {}, boxes[at], h("span", {}, one.name), h("span.soft", {}, `${one.account}, ${one.state}`)))));
    some.open = Boolean(session);
    const plan = h("div.plan", { role: "status", tabindex: "-1" }, h("p.soft", {}, "Nothing is moved before you have seen what would move."));
    const look = h("button.main", { "data-order": "" }, "Show what would move");
    const go = h("button.danger", { type: "button", "data-order": "", disabled: true }, "Move");
    const form = this.show("Move sessions", [h("label", { for: "swap-to" }, "To"), target, some, plan], [look, go]);
    const chosen = () => ({ to: target.value, sessions: boxes.filter((box) => box.checked).map((box) => box.value) });
    let asked = 0;
    form.addEventListener("change", () => {
      asked++;
      go.disabled = true;
      text(go, "Move");
      plan.replaceChildren(h("p.soft", {}, "Another choice: look again at what would move."));
    });
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      const args = chosen();
      const own = ++asked;
      plan.replaceChildren(h("p.soft", {}, "Looking…"));
      const found = await this.look(args);
      if (own !== asked) return;
      plan.replaceChildren(...found.shown);
      go.disabled = !found.moves;
      if (found.moves) text(go, `Move ${many(found.moves, "session")}`);
      go.onclick = () => {
        byId("dialog").close();
        this.give(`swap${args.to ? ` to ${args.to}` : ""}`, "swap", { ...args, dry_run: false });
      };
      plan.focus();
    });
    target.focus();
  }

  async look(args) {
    try {
      const { order } = await place("swap", { ...args, dry_run: true });
      const result = await this.result(order);
      const detail = JSON.parse(result.detail || "{}");
      if (result.outcome !== "done") return { moves: 0, shown: [h("p.bad", {}, `${result.outcome}: ${result.sentence}`)] };
      if (!detail.moves) return { moves: 1, shown: [h("p", {}, result.sentence)] };
      return { moves: detail.moves.length, shown: planned(detail) };
    } catch (error) {
      return { moves: 0, shown: [h("p.bad", {}, error.message)] };
    }
  }
}

function planned(detail) {
  const bill = detail.moves.reduce((sum, move) => sum + move.tokens, 0);
  return [
    h("p", {}, `${many(detail.moves.length, "session")} would move${bill ? `; about ${tokens(bill)} tokens of context would be cached anew` : ""}.`),
    h("div.scroll.short", {}, h("table", {},
      h("thead", {}, h("tr", {}, ...["session", "state", "from", "to", "tokens"].map((name) => h("th", { scope: "col" }, name)))),
      h("tbody", {}, ...detail.moves.map((move) => h("tr", {}, h("th", { scope: "row" }, move.session),
        ...[move.state, move.source, move.target].map((value) => h("td", {}, value)), h("td.num", {}, tokens(move.tokens))))))),
    h("ul.verdicts", {}, ...detail.verdicts.map((one) => h("li", {}, h("b", {}, `${one.account} ${one.verdict}`), h("span", {}, ` ${one.why}`)))),
  ];
}

