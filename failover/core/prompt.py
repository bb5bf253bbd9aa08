"""What a relaunched session is told. It says what was cut off and whether its outcome is known, and nothing else."""

from __future__ import annotations

from collections.abc import Sequence

from failover.core.session import Outcome


def replay(
    outcome: Outcome,
    *,
    limited: bool = False,
    held_prompt: str = "",
    queued: Sequence[str] = (),
    cut_off: str = "",
    was: str = "moved to another account",
    reason: str = "the usage limit of its account",
) -> str:
    """Return the prompt that a moved session gets; empty when it has nothing to go on with.

    was: what was done to it; limited: `reason` had stopped its turn before that; held_prompt: a person's prompt whose
    turn had not begun: it is sent again, word for word; queued: prompts typed while a turn ran; cut_off: what an
    interrupt cut off.
    """
    # A prompt that is held at its hook may stand in the transcript's queue as well.
    waiting = [text for text in (*queued, *([] if held_prompt in queued else [held_prompt])) if text.strip()]
    if outcome in ("idle", "turn") and not limited and not cut_off:
        return "\n\n".join(waiting)
    parts = [_opening(outcome, limited, cut_off, was, reason)]
    if waiting:
        parts.append("Meanwhile this was written to you:")
        parts.extend(waiting)
    return "\n\n".join(parts)


def _opening(outcome: Outcome, limited: bool, cut_off: str, was: str, reason: str) -> str:
    if outcome == "interrupted" or cut_off:
        what = cut_off or "what you were doing"
        return (
            f"This session was {was}, and that interrupted {what}. Its outcome is unknown: "
            "look whether it took effect before you do it again. Then continue where you were."
        )
    if limited:
        return f"Your last turn was stopped by {reason}. The session now runs on. Continue where you were."
    return (
        f"This session was {was} between two steps. Nothing was lost: "
        "all results above are complete. Continue where you were."
    )
