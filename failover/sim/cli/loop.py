"""The turn loop: takes what is queued, one turn after the other, and deals with what ends a turn badly."""

from __future__ import annotations

import threading
import time

from failover.clock import SystemClock
from failover.sim.cli.ask import Refused
from failover.sim.cli.screen import Dialog
from failover.sim.cli.session import Queued, Session
from failover.sim.cli.tools import Interrupted
from failover.sim.cli.turn import Actor

_CONTINUE = "Continue from where you left off."


class Loop:
    """Runs in a thread of its own; `interrupt` and `submit` come from the keyboard's."""

    def __init__(self, session: Session, resumed: bool) -> None:
        self._session = session
        self._mend = resumed
        self._armed: threading.Timer | None = None

    def submit(self, text: str) -> None:
        """Take a prompt. While a turn runs, its hook runs at once and it waits in the queue."""
        session = self._session
        self._disarm()
        if session.busy:
            threading.Thread(target=self._queue, args=(text,), daemon=True).start()
            return
        with session.lock:
            session.busy = True  # at once, so that a second prompt finds the session busy
            session.queue.append(Queued(text))
            session.wake.notify_all()
        session.show_status("Thinking…")

    def interrupt(self) -> None:
        """Cut the running turn off (Esc)."""
        session = self._session
        self._disarm()
        if session.busy:
            session.main.cut_off()
            session.shells.kill()
            session.hooks.cut_off()

    def run(self) -> None:
        """Take turns until the session ends."""
        session = self._session
        while not session.ending:
            with session.lock:
                while not session.queue:
                    if session.busy:
                        session.busy = False
                        session.show_status()
                    session.wake.wait()
                item = session.queue.pop(0)
                session.busy = True
                if item.source != "typed":
                    session.transcript.plain("queue-operation", operation="dequeue")
            session.main.stop.clear()
            session.show_status("Thinking…")
            self._turn(item)
            session.transcript.flush()

    def _queue(self, text: str) -> None:
        session = self._session
        outcome = session.hook("UserPromptSubmit", prompt=text)
        if outcome.blocked is None and not session.ending:
            session.enqueue(Queued(text, hooked=True))

    def _turn(self, item: Queued) -> None:
        session = self._session
        began = time.monotonic()
        session.new_prompt_id()
        if not item.hooked:
            outcome = session.hook("UserPromptSubmit", prompt=item.text)
            if session.ending or session.main.stop.is_set():
                return
            if outcome.blocked is not None:
                session.screen.say(f"  ⎿  {outcome.blocked}")
                return
        if self._mend:
            self._mend = False
            session.transcript.mend(str(session.prompt_id))
            if session.transcript.tell_of_lost_tasks() and item.source == "typed":
                item.source = "queued"
                session.transcript.plain("queue-operation", operation="enqueue")
                session.transcript.plain("queue-operation", operation="dequeue")
        kind = "task-notification" if item.notification else "human"
        session.transcript.user(item.text, promptId=session.prompt_id, permissionMode=session.options.mode,
                                origin={"kind": kind}, promptSource=item.source,
                                turnOrigin=kind.replace("-", "_"))  # fmt: skip
        session.screen.say(f"\n❯ {item.text}" if not item.notification else "\n● A background task finished")
        session.note("prompt_accepted", text=item.text[:200], how=item.source)
        try:
            said = Actor(session, session.transcript, session.main).work()
        except Interrupted as interrupted:
            if not session.ending:
                session.transcript.user([{"type": "text", "text": f"[Request interrupted by user{interrupted}]"}])
                session.screen.say("  ⎿  Interrupted · What should Claude do instead?")
            return
        except Refused as refused:
            self._refused(refused)
            return
        session.note("turn_over")
        outcome = session.hook("Stop", stop_hook_active=False, last_assistant_message=said,
                               background_tasks=session.background(), session_crons=[])  # fmt: skip
        if session.ending:
            return
        if outcome.count:
            session.transcript.system("stop_hook_summary", hookCount=outcome.count, hookInfos=outcome.infos,
                                      hookErrors=[], preventedContinuation=False, stopReason="")  # fmt: skip
        took = time.monotonic() - began
        agents = sum(t["type"] == "subagent" for t in session.background())
        pending = {"pendingBackgroundAgentCount": agents} if agents else {}
        session.transcript.system("turn_duration", durationMs=int(took * 1000), isMeta=False, **pending)
        session.transcript.plain("last-prompt", lastPrompt=item.text)
        session.screen.say(f"\n✻ Worked for {took:.0f}s")

    def _refused(self, refused: Refused) -> None:
        session = self._session
        session.transcript.answer([{"type": "text", "text": refused.text}], "<synthetic>", error=refused.error,
                                  isApiErrorMessage=True, stop_reason="stop_sequence", madeBy="model",
                                  **refused.record)  # fmt: skip
        session.screen.say(f"  ⎿  {refused.text}")
        session.hook("StopFailure", error=refused.error, last_assistant_message=refused.text)
        if session.ending or refused.window is None:
            return
        if refused.window == "seven_day" or session.settings.values.get("autoContinueAtUsageLimit") is False:
            options = ["1. Stop and wait for limit to reset", "2. Wait here, then continue automatically",
                       "3. Upgrade your plan"]  # fmt: skip
            with session.lock:
                session.busy = False
            taken = session.ask_user(Dialog([" What do you want to do?"], options), "dialog open")
            if taken == 2:
                session.note("upgrade_chosen")
            if taken != 1:
                return
        else:
            text = "Usage limit reached · set to continue automatically"
            session.transcript.system("informational", content=text, level="notice", isMeta=False)
            session.screen.say(f"● {text}")
        self._arm(refused.resets_at)

    def _arm(self, at: float) -> None:
        session = self._session

        def go_on() -> None:
            session.note("auto_continue")
            with session.lock:
                session.queue.append(Queued(_CONTINUE))
                session.wake.notify_all()

        self._armed = threading.Timer(max(at - SystemClock().epoch(), 0) + 0.5, go_on)
        self._armed.daemon = True
        self._armed.start()

    def _disarm(self) -> None:
        if self._armed is not None:
            self._armed.cancel()
            self._armed = None
