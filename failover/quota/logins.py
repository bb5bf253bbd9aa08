"""Notice logins that end soon, days before a swap would find out: the binary is asked now and then, beside the role."""

from __future__ import annotations

import threading

from failover.claude import auth
from failover.clock import Clock
from failover.config import Config
from failover.core.notice import LOGIN_SOON
from failover.errors import FailoverError
from failover.events import LoginExpires
from failover.store import events, logins
from failover.store.db import Store

#: Logins last for weeks. The first look waits until the sessions that start with the host have started (seconds).
_EACH, _FIRST = 6 * 3600.0, 30.0


class LoginWatch:
    """Asks `claude auth status` of each account (no network, 0.3 s) in a thread, which the role need not wait for."""

    def __init__(self, config: Config, store: Store, clock: Clock, first: float = _FIRST) -> None:
        """first: seconds until the first look."""
        self._config, self._store, self._clock = config, store, clock
        self._due = clock.monotonic() + first
        self._thread: threading.Thread | None = None
        self._found: dict[str, int] = {}

    @property
    def is_looking(self) -> bool:
        """Say whether a look is under way, or what it found is still to be told."""
        return self._thread is not None

    def look(self) -> str:
        """Begin a look when it is time, or tell of what one found; return what was told, empty for nothing."""
        if self._thread is None:
            if self._clock.monotonic() >= self._due:
                self._due = self._clock.monotonic() + _EACH
                self._thread = threading.Thread(target=self._ask, daemon=True)
                self._thread.start()
            return ""
        if self._thread.is_alive():
            return ""
        self._thread = None
        now = self._clock.epoch()
        soon = [LoginExpires(account=name, expires_at=at) for name, at in self._found.items() if at - now < LOGIN_SOON]
        new = [event for event in soon if not events.was_told(self._store, event)]
        if new or self._found != logins.ends(self._store):
            with self._store.transaction() as tx:
                logins.keep(tx, self._found)
                for event in new:
                    tx.emit(event)
        return "; ".join(f"the login of {event.account} expires soon" for event in new)

    def _ask(self) -> None:
        found = {}
        for account in self._config.accounts:
            if account.kind != "subscription" or not account.config_dir.is_dir():
                continue  # nothing else tells when it ends
            claude = self._config.claude
            try:
                login = auth.status(claude.command, account.config_dir, claude.env)
            except FailoverError:
                continue  # not known; preflight and `accounts check` say what is wrong
            if login.logged_in and login.login_expires_at is not None:
                found[account.name] = int(login.login_expires_at)
        self._found = found
