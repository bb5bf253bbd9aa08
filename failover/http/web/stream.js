// Live events over fetch, since EventSource cannot carry a token. Goes on after the last event that was heard.

import { headers, refusal, Refusal } from "./api.js";

// Nothing at all for so long means that nobody is there: the control plane says something each 15 s.
const SILENCE = 35_000;
// Who was away for longer begins anew instead of hearing all that was (milliseconds).
export const STALE = 300_000;
const FIRST_WAIT = 250;
const LONGEST_WAIT = 10_000;

export class Stream {
  // heard(envelope); state("live" | "gone", {since, again}); denied(refusal)
  constructor({ heard, state, denied }) {
    Object.assign(this, { heard, state, denied, last: 0, stopped: true, since: 0, waited: 0 });
  }

  start(last) {
    this.stop();
    this.last = last;
    this.stopped = false;
    this.run();
  }

  stop() {
    this.stopped = true;
    this.abort?.abort();
    clearTimeout(this.timer);
    this.wake?.();
  }

  // Try again at once, as when the reader comes back to the page.
  hurry() {
    this.wake?.();
  }

  async run() {
    const own = (this.abort = new AbortController());
    while (!own.signal.aborted) {
      try {
        await this.listen(own.signal);
      } catch (error) {
        if (own.signal.aborted) return;
        if (error instanceof Refusal && error.status < 500) {
          this.denied(error);
          return;
        }
      }
      if (own.signal.aborted) return;
      this.since ||= Date.now();
      this.waited = Math.min(LONGEST_WAIT, this.waited ? this.waited * 2 : FIRST_WAIT);
      // Not all pages at the same instant.
      const wait = this.waited * (0.5 + Math.random() / 2);
      this.state("gone", { since: this.since, again: Date.now() + wait });
      await new Promise((over) => {
        this.wake = over;
        this.timer = setTimeout(over, wait);
      });
      clearTimeout(this.timer);
    }
  }

  async listen(stopped) {
    const link = new AbortController();
    const end = () => link.abort();
    stopped.addEventListener("abort", end);
    let watch = setTimeout(end, SILENCE);
    try {
      const more = { Accept: "text/event-stream" };
      if (!this.since || Date.now() - this.since < STALE) more["Last-Event-ID"] = String(this.last);
      const answer = await fetch("/v1/events/stream", { headers: headers(more), cache: "no-store", signal: link.signal });
      if (!answer.ok) throw await refusal(answer);
      const was = this.since;
      this.since = this.waited = 0;
      this.state("live", { since: was });
      const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
      let rest = "";
      for (;;) {
        const { done, value } = await reader.read();
        if (done) return;
        clearTimeout(watch);
        watch = setTimeout(end, SILENCE);
        const blocks = (rest + value).replaceAll("\r\n", "\n").split("\n\n");
        rest = blocks.pop();
        blocks.forEach((block) => this.take(block));
      }
    } finally {
      clearTimeout(watch);
      stopped.removeEventListener("abort", end);
      link.abort();
    }
  }

  take(block) {
    const data = [];
    for (const line of block.split("\n")) {
      const [, name, value] = /^([a-z]+): ?(.*)$/.exec(line) ?? [];
      if (name === "id" && /^\d+$/.test(value)) this.last = Number(value);
      if (name === "data") data.push(value);
    }
    if (data.length) this.heard(JSON.parse(data.join("\n")));
  }
}
