"""Which account the sessions should run on. Values in, one decision with its reasons out.

An account in use is left when one of its windows reaches its threshold, or will before its sessions could have left
(failover/core/pressure.py); its sessions go to the first account with room (target.py), or are spread over several
where their contexts would take too much of one (bill.py). Between two swaps lies a cool-down, a short one when the
account in use is spent. Unknown never starts a swap.
"""

from __future__ import annotations

from collections.abc import Sequence

from failover.core.bill import Plan, billed, carry
from failover.core.choice import Candidate, Decision, IdleSessions, Load, Rules, Stay, Strategy, Swap, Use, Verdict
from failover.core.forecast import Forecast
from failover.core.pressure import Pressure, crossed, is_ended
from failover.core.reasons import weigh
from failover.core.session import SessionState
from failover.core.target import against, instead, preferred, room, spoken_against, tiers, used_up

__all__ = [
    "Candidate", "Decision", "Forecast", "IdleSessions", "Load", "Rules", "Stay", "Strategy", "Swap", "Use", "Verdict",
    "crossed", "decide", "earliest_reset", "elsewhere", "idle_for", "instead", "needs", "preferred",
    "spoken_against", "weigh",
]  # fmt: skip

#: The cool-down of a spent account (seconds).
SPENT_COOLDOWN = 10.0


def decide(accounts: Sequence[Candidate], rules: Rules) -> Decision:
    """Return what to do now. The order of `accounts` does not matter."""
    if rules.paused:
        return Stay("paused by the operator")
    if rules.swapping:
        return Stay("a swap is open")
    ordered = sorted(accounts, key=lambda one: (one.priority, one.name))
    pressed = sorted(
        (one for account in ordered if (one := crossed(account, rules) or _costly(account, ordered, rules))),
        key=lambda one: (-one.stands, -one.over, one.account.name),
    )
    if not pressed:
        reason = "every account in use is below its thresholds"
        return Stay(reason, verdicts=weigh(ordered, rules))
    answers = [_answer(one, ordered, rules) for one in pressed]
    return next((answer for answer in answers if isinstance(answer, Swap)), answers[0])


def elsewhere(source: Candidate, loads: Sequence[Load], accounts: Sequence[Candidate], rules: Rules) -> Swap | None:
    """Return where sessions of `source` go when a person wants them to be elsewhere, None when there is nowhere.

    Its reason says what room there is and what the bill is, to be added to a sentence.
    """
    for tier in tiers(source, accounts, rules, stand=is_ended(source), better=False):
        plan = carry(loads, tier)
        if plan.shares:
            target = next(one for one in tier if one.name == plan.target)
            told = f"; {target.name} {room(target)}{billed(plan, target)}"
            return Swap(source.name, plan.target, "soft", told, plan.sessions, plan.elsewhere)
    return None


def needs(state: SessionState, idle_sessions: IdleSessions, task_waits: bool) -> bool:
    """Say whether a session has to leave an account at its threshold.

    idle_sessions: what is done with those at rest: move them with the others; lazy: only when there is work for them
    (`task_waits`: a task of their project); leave them. One that begins a turn is at rest no more.
    """
    if state != "idle" or idle_sessions == "move":
        return True
    return idle_sessions == "lazy" and task_waits


def idle_for(accounts: Sequence[Candidate], rules: Rules) -> dict[str, str]:
    """Return why an account gets no new work, by name."""
    found = {}
    for account in accounts:
        if not account.enabled:
            found[account.name] = f"its account {account.name} is disabled"
        elif low := used_up(account, accounts, rules):
            found[account.name] = f"its account {low}"
    return found


def earliest_reset(accounts: Sequence[Candidate]) -> int | None:
    """Return when the first of the windows at their threshold opens again (epoch seconds), None when unknown."""
    resets = [
        reading.resets_at
        for account in accounts
        for window, reading in account.counting
        if reading.resets_at is not None and reading.used >= account.leaves_at(window)
    ]
    return min(resets, default=None)


def _costly(account: Candidate, accounts: Sequence[Candidate], rules: Rules) -> Pressure | None:
    """Return that an account which is paid by use has to be left, since another has room again."""
    if not (account.paid and account.in_use):
        return None
    if not any(one.readings or one.opened for tier in tiers(account, accounts, rules, stand=False) for one in tier):
        return None
    free = tuple(load for load in account.loads if not load.pinned)
    if account.loads and not free:
        return None
    text = f"{account.name} is paid by use and another account has room again"
    return Pressure(account, "", -100.0, False, False, False, False, None, text, free)


def _answer(pressed: Pressure, accounts: Sequence[Candidate], rules: Rules) -> Decision:
    """Return what to do about one account that has to be left."""
    source = pressed.account

    def stay(why: str, exhausted: bool = False) -> Stay:
        reason = f"{pressed.text}; {why}"
        until = earliest_reset(accounts) if exhausted else None
        return Stay(reason, source.name, exhausted, until, weigh(accounts, rules, source, {}, reason))

    # A spent account cannot wait out the cool-down; yet what was just tried is not tried again at once.
    cooldown = min(rules.cooldown, SPENT_COOLDOWN) if pressed.stands else rules.cooldown
    if rules.since_swap is not None and rules.since_swap < cooldown:
        return stay(f"cooling down for {cooldown - rules.since_swap:.0f} s")
    found = tiers(source, accounts, rules, stand=pressed.ended)
    if pressed.foreseen:
        # What is only expected moves nobody into the unknown.
        found = [known for tier in found if (known := [one for one in tier if one.readings])]
        if not found:
            return stay("no account is known to have room, so its threshold is waited for")
    if not found:
        return stay("no account can take its sessions", exhausted=True)
    if wait := _wait(pressed, found, rules):
        return stay(wait)
    for tier in found:
        plan = carry(pressed.loads, tier)
        if plan.shares or not pressed.loads:
            return _swap(pressed, tier, plan, accounts, rules)
    return stay(
        "its sessions' contexts, cached anew, would take too much of every other account",
        exhausted=not pressed.foreseen,
    )


def _wait(pressed: Pressure, found: Sequence[Sequence[Candidate]], rules: Rules) -> str:
    """Return that the reset of the source is waited for, empty when it is not."""
    left = pressed.resets_at - rules.now if pressed.resets_at is not None else rules.wait_if_reset_within
    if left >= rules.wait_if_reset_within:
        return ""
    best = found[0][0]
    has_room = not against(pressed.account, best, rules)
    if not has_room or best.paid:
        return f"it resets in {left:.0f} s, so what is left elsewhere is not touched"
    if pressed.stands:
        return ""
    if not best.readings:
        return f"it resets in {left:.0f} s and no other is known to be better"
    told = pressed.account.limits.get(pressed.window)
    if told is not None and rules.forecast and told.earliest is None:
        return f"it resets in {left:.0f} s and its limit is not expected to be reached by then"
    return ""


def _swap(
    pressed: Pressure, tier: Sequence[Candidate], plan: Plan, accounts: Sequence[Candidate], rules: Rules
) -> Swap:
    source = pressed.account
    target = next((one for one in tier if one.name == plan.target), tier[0])
    reason = f"{pressed.text}; {target.name} {room(target)}{billed(plan, target)}"
    # Without its sessions one by one, all of them go.
    some = len(plan.shares) < len(source.loads)
    return Swap(
        source.name,
        target.name,
        "hard" if pressed.hurry else "soft",
        reason,
        sessions=tuple(sorted(plan.shares)) if some else (),
        shares=plan.elsewhere,
        verdicts=weigh(accounts, rules, source, plan.going or {target.name: source.in_use}, reason),
    )
