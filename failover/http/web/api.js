// Speaking to the control plane: the token, answers, refusals in words.

const KEPT = "token";
// A request that takes longer is given up (milliseconds).
const PATIENCE = 10_000;

export class Refusal extends Error {
  constructor(status, sentence) {
    super(sentence);
    this.status = status;
  }
}

// The token of the address goes out of it at once, so that no history, bookmark or shared screen has it.
export function takeToken() {
  const given = new URLSearchParams(location.hash.slice(1)).get("token");
  if (given) {
    keepToken(given);
    history.replaceState(null, "", location.pathname);
  }
  return Boolean(given);
}

export const token = () => sessionStorage.getItem(KEPT) ?? "";
export const keepToken = (value) => sessionStorage.setItem(KEPT, value.trim());
export const forgetToken = () => sessionStorage.removeItem(KEPT);

export function headers(more = {}) {
  return { Authorization: `Bearer ${token()}`, ...more };
}

export async function ask(path, { method = "GET", body, more, patience = PATIENCE } = {}) {
  const answer = await fetch(path, {
    method,
    headers: headers(body === undefined ? more : { "Content-Type": "application/json", ...more }),
    body: body === undefined ? undefined : JSON.stringify(body),
    cache: "no-store",
    signal: AbortSignal.timeout(patience),
  });
  if (answer.ok) return answer.json();
  throw await refusal(answer);
}

export async function refusal(answer) {
  let said = "";
  try {
    said = (await answer.json()).detail;
  } catch {
    // an answer without a sentence
  }
  return new Refusal(answer.status, said || `the control plane answered ${answer.status}`);
}

// Whether trying again later may help.
export const passes = (error) => !(error instanceof Refusal) || error.status >= 500;

// Place an order. One that gets no answer is sent again under the same key, so it is carried out once.
export async function place(verb, args) {
  const more = { "Idempotency-Key": crypto.randomUUID() };
  const body = { verb, args, by: "the page" };
  for (let tries = 0; ; tries++) {
    try {
      return await ask("/v1/orders", { method: "POST", body, more });
    } catch (error) {
      if (!passes(error) || tries === 7) throw error;
      await new Promise((over) => setTimeout(over, 500 * (tries + 1)));
    }
  }
}
