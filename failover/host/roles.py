"""The names of the roles, for those who want no more of the daemon than that."""

from __future__ import annotations

#: The programs of supervisord.conf.
ROLES = (
    "bus",
    "control-plane",
    "account-switcher",
    "session-watcher",
    "quota-monitor",
    "dispatcher",
    "checkpoint",
    "notifier",
    "janitor",
)
