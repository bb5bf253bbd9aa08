"""How the first turn of a relaunched session went: answered, or failed, and for which sort of reason."""

from __future__ import annotations

from failover.claude.transcript import Ending
from failover.core.move import Move, Reached, Refusal

#: Hooks that show that the model has spoken in the turn.
ANSWERED = frozenset({"PreToolUse", "PostToolUse", "PostToolBatch", "PermissionRequest", "Stop"})
#: Words of StopFailure's `error` (all of them read in the binary, 2.1.330). These lie with the account: another one may
#: serve the turn.
_OF_THE_ACCOUNT = frozenset(
    {
        "authentication_failed",
        "oauth_org_not_allowed",
        "account_on_hold",
        "verification_required",
        "billing_error",
        "cloud_credential_error",
        "model_not_found",
    }
)
#: These lie with the turn itself: no account would serve it better.
_OF_THE_TURN = frozenset({"invalid_request", "max_output_tokens"})


def unheard(move: Move, ending: Ending | None) -> tuple[bool, str]:
    """Return whether a turn that is over was answered, and how it failed, by the transcript alone.

    The hooks of a turn that came and went while the control plane was being started were heard by nobody.
    """
    if ending is None or not ending.was_given(move.prompt, move.since_size):
        return False, ""
    failures = {"limit": "rate_limit", "error": "unknown"}
    return ending.last_kind == "assistant_text", failures.get(ending.last_kind, "")


def refusal(move: Move, failure: str, ending: Ending | None) -> tuple[str, Refusal, Reached | None]:
    """Return why the first turn failed, and for which sort of reason; nothing while that is not known.

    A used-up limit and throttling have one word in the hook (rate_limit, measured on 2.1.330): only the record in the
    transcript tells them apart, and it is written up to 0.3 s later.
    """
    if not failure:
        return "", "", None
    limit = ending.limit if ending is not None else None
    if ending is not None and limit is not None and ending.is_limited_since(move.since_size):
        reached = Reached(move.target, limit.type, limit.resets_at, limit.at_ms)
        return f"it has reached its {limit.type} limit", "limit", reached
    words = "throttled" if failure == "rate_limit" else failure.replace("_", " ")
    if failure in _OF_THE_ACCOUNT:
        return words, "account", None
    if failure in _OF_THE_TURN:
        return words, "turn", None
    if failure == "rate_limit" and (ending is None or ending.last_kind != "error"):
        return "", "", None
    return words, "service", None
