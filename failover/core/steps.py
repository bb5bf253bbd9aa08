"""What to do next with a session's move: its state, one look at the world and what else bears on it in, a step out."""

from __future__ import annotations

from failover.core.move import BEFORE_DEATH, Around, Move, Seen, Step, Wait

#: How often a relaunch is tried before the move is given up.
MAX_LAUNCHES = 3
#: Seconds after which a process that is still registered was never told to end (measured: SIGTERM takes at most 1.8 s,
#: and the registry's entry goes first).
TOLD_TO_END_WITHIN = 4.0
#: Seconds in which a child that the old process had just made, and that still bears its arguments, ends or becomes
#: another program. Who is on the conversation after that is somebody else.
ORPHANS_END_WITHIN = 2.0
#: Seconds within which a relaunched binary must be in the registry, and take its prompt (measured: 0.8 s alone, 17 s
#: when twenty start at once on two cores).
READY_WITHIN = 90.0
#: Seconds of work after which an answer need not be waited for: the request is being served.
WORKING_FOR = 60.0


def decide(move: Move, seen: Seen, around: Around) -> Step | Wait:
    """Return the next step of `move`, or why it waits."""
    if move.kind == "restore" and move.state == "queued":
        return _to_restore(seen, around)
    if move.state in BEFORE_DEATH and (step := _taken_back(move, seen, around)):
        return step
    match move.state:
        case "queued":
            return _queued(around)
        case "holding":
            return _holding(seen, around)
        case "at_boundary":
            return Step("note", seen.standing.why) if _still_bound(move, seen) else Step("slip", seen.standing.why)
        case "checkpointed":
            return Step("stop", seen.standing.why) if _still_bound(move, seen) else Step("slip", seen.standing.why)
        case "stopping":
            return _stopping(seen, around)
        case "dead":
            return _dead(move, seen, around)
        case "relaunching":
            return _relaunching(move, seen, around)
        case "relaunched":
            return _relaunched(move, seen, around)
        case "answering":
            return _answering(move, seen, around)
        case "leaving":
            return _leaving(move, seen)
    return Wait(f"it is {move.state}")


def _taken_back(move: Move, seen: Seen, around: Around) -> Step | Wait | None:
    if not seen.alive and seen.server_died:
        return Step("lost", "its tmux server died, and its process with it")
    if seen.server_died and around.now < around.deadline:
        # Its terminal has hung up, so it is about to end: whoever lets it stay now leaves it dead.
        return Wait("its tmux server died; its process is ending")
    if not seen.alive:
        return Step("withdraw", "its process ended by itself")
    if seen.elsewhere:
        return Step("withdraw", f"its conversation is open elsewhere too (pid {seen.elsewhere[0]})")
    if seen.left_for:
        return Step("withdraw", f"a person went on in it with another conversation ({seen.left_for})")
    if around.paused:
        return Step("withdraw", "the operator paused")
    if around.preflight:
        return Step("withdraw", around.preflight)
    if move.kind == "fresh" and move.state != "queued" and (seen.standing.at, seen.status) != ("idle", "idle"):
        # Nor while a prompt is held: it belongs to the conversation that would be left.
        return Step("withdraw", f"it is not at rest ({seen.standing.why})")
    return None


def _to_restore(seen: Seen, around: Around) -> Step | Wait:
    """Decide of a session that crashed: nothing is held or stopped, so only the proof of its death is missing."""
    if seen.alive:
        return Step("withdraw", "its process lives")
    if seen.elsewhere:
        return Step("withdraw", f"its conversation is open elsewhere (pid {seen.elsewhere[0]})")
    if around.paused:
        return Step("withdraw", "the operator paused")
    if around.preflight is None:
        return Wait("the account is being looked at")
    if around.preflight:
        return Step("withdraw", around.preflight)
    return Step("lost", "nothing of it is left") if around.slot else Wait("others are being brought back")


def _queued(around: Around) -> Step | Wait:
    # Until then nobody is held: a session that waits in its hook for the look at the target loses that time.
    if around.preflight is None:
        return Wait("the target is being looked at")
    return Step("hold", "its turn has come") if around.slot else Wait("others are being moved")


def _holding(seen: Seen, around: Around) -> Step | Wait:
    if around.preflight is None:
        return Wait("the target is being looked at")
    if not around.slot:
        return Wait("others are being moved")
    if seen.standing.at is not None:
        return Step("bound", seen.standing.why, seen.standing.at)
    if around.urgency == "idle":
        return Step("withdraw", f"it is at work ({seen.standing.why}); it is moved when it is at rest")
    if around.now < around.deadline:
        return Wait(seen.standing.why)
    # What it is at cannot be known, nor what would be resumed: it is left alone, however urgent.
    if around.urgency == "hard" and not seen.unregistered:
        return Step("bound", f"no boundary before the deadline ({seen.standing.why})", "interrupted")
    return Step("withdraw", f"no boundary before the deadline ({seen.standing.why})")


def _still_bound(move: Move, seen: Seen) -> bool:
    return move.outcome == "interrupted" or seen.standing.at == move.outcome


def _stopping(seen: Seen, around: Around) -> Step | Wait:
    if not seen.alive:
        return Step("died", "its process is proven dead")
    if around.found is None or not seen.registered:
        return Wait("its process is ending")
    if around.found < TOLD_TO_END_WITHIN:
        return Wait("an earlier switcher meant to stop it; looking whether it did")
    # Its hold ended with that switcher, so it has worked on: only a new boundary will do.
    return Step("slip", "it was never told to end")


def _dead(move: Move, seen: Seen, around: Around) -> Step | Wait:
    if move.kind == "stop":
        return Step("end", "stopped, as ordered")
    if seen.elsewhere:
        if around.now - move.at.get("dead", around.now) < ORPHANS_END_WITHIN:
            return Wait(f"pid {seen.elsewhere[0]} is on its conversation; looking again")
        return Step("yield", f"its conversation was opened elsewhere (pid {seen.elsewhere[0]}); the person wins")
    # One that is brought back has no session yet in the server that lives now.
    if seen.closed and (move.kind != "restore" or move.launches):
        return Step("yield", "its tmux session was closed meanwhile; the person wins")
    if move.launches >= MAX_LAUNCHES:
        return Step("give_up", f"it ended {move.launches} times after its relaunch")
    if move.target not in around.refused:
        why = f"no process is on its conversation; starting it under {move.target}"
        return Step("relaunch", why, target=move.target)
    if around.other:
        why = f"{move.target} cannot serve it; starting it under {around.other}"
        return Step("relaunch", why, target=around.other)
    why = f"{move.target} cannot serve it and no other account has room; back to {move.source}"
    return Step("relaunch", why, target=move.source)


def _relaunching(move: Move, seen: Seen, around: Around) -> Step | Wait:
    if seen.launched:
        return Step("launched", "its new process runs")
    # The launch itself takes milliseconds; what is not there by then did not happen.
    if around.now - move.at.get("relaunching", around.now) > 5:
        return Step("again", "no process came of the launch")
    return Wait("being launched")


def _relaunched(move: Move, seen: Seen, around: Around) -> Step | Wait:
    if move.kind == "fresh" and (seen.taken or seen.answered):
        # What comes of that is the task's, its death too: told once more, it would be begun twice as one attempt.
        return Step("ready", "it took its task")
    if not seen.launched:
        return Step("again", "its new process ended at once")
    waited = around.now - move.at.get("relaunched", around.now)
    if move.prompt and (seen.taken or seen.answered):
        return Step("taken", "it took its prompt")
    if not move.prompt and seen.registered and seen.status in ("idle", "busy"):
        return Step("ready", f"it is {seen.status} under {move.target}")
    if waited > READY_WITHIN:
        shown = seen.status or "nothing in the registry"
        return Step("give_up", f"not ready {READY_WITHIN:.0f} s after its relaunch ({shown}); look at its pane")
    return Wait("starting")


def _answering(move: Move, seen: Seen, around: Around) -> Step | Wait:
    if seen.answered:
        return Step("answered", f"answered under {move.target}")
    if seen.refusal:
        return _refused(move, seen, around)
    if not seen.launched:
        return Step("again", "its new process ended before an answer came")
    if around.now - move.at.get("answering", around.now) > WORKING_FOR and seen.status == "busy":
        return Step("answered", f"at work under {move.target} for {WORKING_FOR:.0f} s")
    return Wait("waiting for its first answer")


def _refused(move: Move, seen: Seen, around: Around) -> Step:
    """Decide where to go when the first turn failed. An account that cannot serve is not tried twice in a swap."""
    failed = f"its first turn under {move.target} failed ({seen.trouble})"
    if seen.refusal == "turn":
        return Step("answered", f"{failed}, which is not the account's doing")
    if seen.refusal == "service":
        # Throttling and an overloaded provider pass, and another account would hardly fare better.
        if move.launches < MAX_LAUNCHES:
            return Step("leave", f"{failed}; trying again", target=move.target)
        return Step("park", f"{failed}, {move.launches} times; it stays where it is")
    if around.other:
        return Step("leave", f"{failed}; going on under {around.other}", target=around.other)
    # Logged out, it would never go on by itself; spent, the source will when its window opens.
    back = seen.refusal == "account" or not around.spent
    if back and move.source not in (*around.refused, move.target):
        return Step("leave", f"{failed} and no other account has room; back to {move.source}", target=move.source)
    return Step("park", f"{failed} and no other account has room; it is continued when one has")


def _leaving(move: Move, seen: Seen) -> Step | Wait:
    if seen.alive:
        return Wait("its process is ending")
    return Step("died", f"its process under {move.refused[-1] if move.refused else 'the target'} is proven dead")
