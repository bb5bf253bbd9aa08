"""What the sessions' binaries told: hooks, what they add up to, statuslines. Written by the control-plane alone."""

from __future__ import annotations

import msgspec

from failover.core.session import Activity, HookCall, fold, hold, is_notification, missed, release
from failover.events import HookReceived, StatuslinePushed
from failover.store.db import Store, Transaction
from failover.store.usage import StatuslineRow

_activity = msgspec.json.Decoder(Activity)
_call = msgspec.json.Decoder(HookCall)


class Hold(msgspec.Struct, frozen=True):
    """A conversation that may not pass its next boundary. pid, start: the holder; until_mono: monotonic seconds."""

    conversation: str
    move: int
    pid: int
    start: int
    until_mono: float


def standing_hold(store: Store, conversation: str) -> Hold | None:
    """Return the hold on a conversation. Whether its holder lives is for the caller to see."""
    row = store.one("SELECT * FROM holds WHERE conversation = ?", (conversation,))
    return msgspec.convert(dict(row), Hold) if row else None


def activity(store: Store, session: str) -> Activity | None:
    """Return what a session's hooks add up to."""
    row = store.one("SELECT body FROM activities WHERE session = ?", (session,))
    return _activity.decode(row["body"]) if row else None


def record_hook(
    store: Store, tx: Transaction, *, session: str, account: str, boot: str, call: HookCall, held: bool
) -> HookCall:
    """Write a hook call, fold it into its session's activity, report it; return it with its id.

    held: its answer is going to be held back. A late call of an earlier launch is kept but not folded.
    """
    row = tx.insert(
        "INSERT INTO hook_calls (at_ms, session, account, launch, conversation, hook, body)"
        " VALUES (?, ?, ?, ?, ?, ?, ?)",
        (call.at_ms, session, account, call.launch, call.conversation, call.hook, msgspec.json.encode(call).decode()),
    )
    call = msgspec.structs.replace(call, id=row)
    before = activity(store, session)
    if before is None or before.launch == call.launch or not _seen_before(store, call):
        after = fold(before, call)
        _save(tx, session, hold(after, call) if held else after, boot)
    tx.emit(HookReceived(call=row, session=session, conversation=call.conversation, hook=call.hook, held=held))
    return call


def end_hold(store: Store, tx: Transaction, session: str, boot: str, call: HookCall) -> None:
    """Note that the answer to `call` is held back no more."""
    now = activity(store, session)
    if now is not None and now.held == call.id:
        _save(tx, session, release(now), boot)
        tx.emit(HookReceived(call=call.id, session=session, conversation=call.conversation, hook=call.hook))


def last_call(store: Store) -> int:
    """Return the id of the newest hook call, 0 when there is none."""
    row = store.one("SELECT max(id) FROM hook_calls")
    return row[0] or 0


def silent_prompt(store: Store, conversation: str) -> int:
    """Return the id of the newest call with a prompt after which a conversation was not heard of again but for its end,
    0 when there is none: its turn may never have begun."""
    row = store.one(
        "SELECT id, hook FROM hook_calls WHERE conversation = ? AND hook != 'SessionEnd' ORDER BY id DESC LIMIT 1",
        (conversation,),
    )
    return row["id"] if row and row["hook"] == "UserPromptSubmit" else 0


def prompts_after(store: Store, conversation: str, call: int) -> tuple[HookCall, ...]:
    """Return the calls with what people wrote to a conversation after hook call `call`, oldest first."""
    rows = store.query(
        "SELECT body FROM hook_calls WHERE conversation = ? AND id > ? AND hook = 'UserPromptSubmit' ORDER BY id",
        (conversation, call),
    )
    calls = [_call.decode(row["body"]) for row in rows]
    return tuple(one for one in calls if not one.agent and not is_notification(one.prompt))


def mark_gaps(store: Store, tx: Transaction) -> int:
    """Note in every activity that hooks may have been missed (nobody listened until now); return how many."""
    rows = store.query("SELECT session, boot, body FROM activities")
    for row in rows:
        _save(tx, row["session"], missed(_activity.decode(row["body"])), row["boot"])
    return len(rows)


def record_statusline(tx: Transaction, line: StatuslineRow, news: bool = True) -> None:
    """Keep a session's newest statusline push; report it where it is news."""
    tx.put("statuslines", msgspec.structs.asdict(line))
    if news:
        tx.emit(StatuslinePushed(session=line.session, account=line.account))


def _seen_before(store: Store, call: HookCall) -> bool:
    """Say whether a launch has called before. The last hook of a stopped process may come in after its successor's."""
    sql = "SELECT 1 FROM hook_calls WHERE conversation = ? AND launch = ? AND id < ? LIMIT 1"
    return store.one(sql, (call.conversation, call.launch, call.id)) is not None


def _save(tx: Transaction, session: str, value: Activity, boot: str) -> None:
    fields = {
        "session": session,
        "launch": value.launch,
        "conversation": value.conversation,
        "last_call": value.last_call,
        "boot": boot,
        "body": msgspec.json.encode(value).decode(),
    }
    tx.put("activities", fields)
