"""The hooks' entrance: write what a hook tells, and hold its answer back while a hold stands.

The session waits inside its hook for our answer, so everything here is short; only a hold makes it wait.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import logging
import os
from collections import defaultdict
from collections.abc import Awaitable, Collection
from typing import NoReturn
from urllib.parse import parse_qs

import msgspec

from failover.claude import hooks as claude_hooks
from failover.claude.hooks import HookBody
from failover.clock import Clock
from failover.config_yaml import is_name
from failover.core.session import HOLDABLE, HookCall, may_hold
from failover.core.tally import Tally
from failover.errors import StoreBroken, StoreError, UsageError
from failover.host.process import ProcessId, alive
from failover.store import hooks
from failover.store.db import Store
from failover.store.usage import StatuslineRow

#: The longest that an answer is held back (seconds). The hooks' own timeout is 600 s; past that the binary goes on by
#: itself (measured on 2.1.330).
LONGEST_HOLD = 540.0
#: How often a hold is looked at without having been told of a change (seconds): its holder may die without a word.
_LOOK = 0.25
#: How much of an answer's text is kept (characters): enough to see in a checkpoint where the session was.
_MESSAGE = 2000
_STATUSLINE_KEYS = ("rate_limits", "context_window", "prompt_cache", "model", "version", "cost")
#: What of a statusline is worth a bell: how much of the account's windows is used. A session repeats it with each push.
_NEWS = ("rate_limits",)
#: Of accounts whose cost is capped its cost is too.
_NEWS_OF_CAPPED = (*_NEWS, "cost")
#: A session's query is the same for as long as its binary runs; so many are kept taken apart.
_MOST_SENDERS = 256
_DURATION = "hook_duration_seconds"


class Sender(msgspec.Struct, frozen=True):
    """Which session's binary is speaking, by the URL that its launch files name."""

    session: str
    account: str
    launch: str


@functools.lru_cache(_MOST_SENDERS)
def sender(query: bytes) -> Sender:
    """Return who speaks. Raises UsageError."""
    fields = parse_qs(query.decode("ascii", "replace"), max_num_fields=10)
    values = {name: fields.get(name, [""])[0] for name in Sender.__struct_fields__}
    for name, value in values.items():
        if not is_name(value):
            raise UsageError(f"the query's {name} is {value[:80]!r}, which is no name")
    return Sender(**values)


class Entrance:
    """Takes hooks and statuslines. boot: the control plane's; tally: where their durations are noted; capped: the
    accounts whose cost has a cap. Every method runs on the event loop's thread."""

    def __init__(self, store: Store, clock: Clock, boot: str, tally: Tally, capped: Collection[str] = ()) -> None:
        self._store, self._clock, self._boot, self._tally, self._capped = store, clock, boot, tally, capped
        self._told: dict[str, tuple[object, ...]] = {}  # session → sender and news of its last push
        self._wakers: defaultdict[str, set[asyncio.Event]] = defaultdict(set)
        self._closing = False
        self._unwritten: dict[str, StatuslineRow] = {}  # by session: nobody waits for them
        self._missed = False  # a hook came that could not be written

    def begin(self) -> int:
        """Note that hooks may have been missed until now; return in how many sessions."""
        with self._store.transaction() as tx:
            return hooks.mark_gaps(self._store, tx)

    def hook(self, who: Sender, body: bytes) -> HookCall | None:
        """Write a hook; return it where its answer is to be held back (see `held`), None where it is due.

        Raises UsageError for a body that is no hook, StoreError when it cannot be written.
        """
        began = self._clock.monotonic()
        call = reduced(claude_hooks.parse(body), who.launch, self._store.now_ms())
        try:
            call, held = self._record(who, call)
        except StoreBroken as error:
            _end_at_once(error)
        except StoreError:
            self._missed = True
            raise
        if held:
            return call
        self._tally.observe(_DURATION, self._clock.monotonic() - began, "false")
        return None

    async def held(self, who: Sender, call: HookCall, gone: Awaitable[None]) -> None:
        """Return when the session of a hook may go on. gone: what ends when the client has hung up."""
        began, leaving = self._clock.monotonic(), asyncio.ensure_future(gone)
        try:
            await self._released(call.conversation, leaving)
        finally:
            leaving.cancel()
            self._tally.observe(_DURATION, self._clock.monotonic() - began, "true")
            try:
                with self._store.transaction() as tx:
                    hooks.end_hold(self._store, tx, who.session, self._boot, call)
            except StoreError as error:
                # The session goes on now. As long as this process lives, it would be taken for held.
                _end_at_once(error)

    def _record(self, who: Sender, call: HookCall) -> tuple[HookCall, bool]:
        """Write a hook; return it with its id, and whether its answer is to be held back."""
        with self._store.transaction() as tx:
            if self._missed:
                hooks.mark_gaps(self._store, tx)
            if (line := self._unwritten.get(who.session)) is not None:
                hooks.record_statusline(tx, line, news=False)  # whoever acts on the hook reads what was shown before it
            held = (
                not self._closing
                and call.hook in HOLDABLE
                and self._stands(call.conversation)
                and may_hold(hooks.activity(self._store, who.session), call)
            )
            call = hooks.record_hook(
                self._store, tx, session=who.session, account=who.account, boot=self._boot, call=call, held=held
            )
        self._missed = False
        self._unwritten.pop(who.session, None)
        return call, held

    def settle(self) -> None:
        """Write what waits: statuslines that told nothing new, and what was missed while hooks could not be written,
        as soon as that can be: there may be none to come. To be called every second, and at the end."""
        if not (self._missed or self._unwritten):
            return
        with contextlib.suppress(StoreError):
            with self._store.transaction() as tx:
                if self._missed:
                    hooks.mark_gaps(self._store, tx)
                for line in self._unwritten.values():
                    hooks.record_statusline(tx, line, news=False)
            self._missed = False
            self._unwritten.clear()

    def statusline(self, who: Sender, body: bytes) -> None:
        """Write a statusline push, at once where the account's windows are new in it.

        Raises UsageError for a body that is none, StoreError when it cannot be written.
        """
        try:
            fields = msgspec.json.decode(body, type=dict[str, msgspec.Raw])
            conversation = msgspec.json.decode(fields["session_id"], type=str)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError, KeyError) as error:
            raise UsageError(f"the body is no statusline of the binary: {error}") from None
        kept = msgspec.json.encode({key: fields[key] for key in _STATUSLINE_KEYS if key in fields}).decode()
        news = _NEWS_OF_CAPPED if who.account in self._capped else _NEWS
        told = (who, *(bytes(fields.get(key, b"")) for key in news))
        line = StatuslineRow(
            session=who.session,
            account=who.account,
            launch=who.launch,
            conversation=conversation,
            at_ms=self._store.now_ms(),
            body=kept,
        )
        if told == self._told.get(who.session) and not self._closing:
            self._unwritten[who.session] = line
            return
        with self._store.transaction() as tx:
            hooks.record_statusline(tx, line)
        self._told[who.session] = told
        self._unwritten.pop(who.session, None)

    def look(self, conversation: str = "") -> None:
        """Let the answers that are held back look at their hold again: those of one conversation, or all."""
        for waker in self._wakers.get(conversation, ()) if conversation else self._all():
            waker.set()

    def close(self) -> None:
        """Let every held answer go: the sessions must not wait for a control plane that ends."""
        self._closing = True
        self.settle()
        self.look()

    def _all(self) -> list[asyncio.Event]:
        return [waker for wakers in self._wakers.values() for waker in wakers]

    def _stands(self, conversation: str) -> bool:
        hold = hooks.standing_hold(self._store, conversation)
        return hold is not None and self._clock.monotonic() < hold.until_mono and alive(ProcessId(hold.pid, hold.start))

    async def _released(self, conversation: str, gone: asyncio.Future[None]) -> None:
        deadline = self._clock.monotonic() + LONGEST_HOLD
        waker = asyncio.Event()
        self._wakers[conversation].add(waker)
        try:
            while not (gone.done() or self._closing or self._clock.monotonic() >= deadline):
                waker.clear()
                if not self._stands(conversation):
                    return
                woken = asyncio.ensure_future(waker.wait())
                await asyncio.wait((woken, gone), timeout=_LOOK, return_when=asyncio.FIRST_COMPLETED)
                woken.cancel()
        finally:
            self._wakers[conversation].discard(waker)
            if not self._wakers[conversation]:
                del self._wakers[conversation]


def _end_at_once(error: StoreError) -> NoReturn:
    """End this process without another word to anybody: its death lets every hold go, and a successor looks."""
    logging.getLogger("control-plane").error("%s", error)
    os._exit(1)


def reduced(body: HookBody, launch: str, at_ms: int) -> HookCall:
    """Return a hook with only what somebody reads. The prompt stays whole: it may have to be sent again."""
    tool, tool_input = body.tool
    return HookCall(
        id=0,
        launch=launch,
        conversation=body.session_id,
        hook=body.hook_event_name,
        at_ms=at_ms,
        agent=body.agent_id or "",
        prompt=body.prompt or "",
        background=body.running,
        error=body.error or "",
        message=(body.last_assistant_message or "")[:_MESSAGE],
        tool=tool,
        tool_input=tool_input,
        source=body.source or "",
        notice=body.notification_type or "",
    )
