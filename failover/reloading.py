"""Take a changed configuration while sessions live: what can be taken, and what has to wait."""

from __future__ import annotations

import zlib
from collections import Counter

import msgspec

from failover import config as configuration
from failover.config import Config
from failover.errors import UsageError
from failover.host import process
from failover.host.process import ProcessId
from failover.store import sessions
from failover.store.db import Store

#: What a session is started with: it counts for one that runs when it is next started.
AT_START = ("claude", "accounts")


def sections(config: Config) -> dict[str, str]:
    """Return a fingerprint of each top-level key, so that what changed can be named without keeping what it said."""
    return {
        name: f"{zlib.crc32(msgspec.json.encode(getattr(config, name), enc_hook=str, order='deterministic')):08x}"
        for name in config.__struct_fields__
        if name != "file"
    }


def reread(was: Config, store: Store) -> Config:
    """Read the configuration file again. Raises ConfigError when it is wrong, UsageError when it cannot be
    taken just now."""
    now = configuration.load(was.file)
    if why := objection(was, now, store):
        raise UsageError(f"{was.file}: {why}")
    return now


def objection(was: Config, now: Config, store: Store) -> str:
    """Return why a running daemon cannot take a configuration, and what to do; empty when it can.

    Sessions that live stay where they are: their tmux server, their transcripts and their account must not get lost to
    us, or they would look as if somebody had closed them.
    """
    if now.state_dir != was.state_dir:
        return "state_dir changed; for that: claude-failover down, then up"
    living = [
        placement
        for placement in sessions.placements(store).values()
        if placement.pid and process.alive(ProcessId(placement.pid, placement.start))
    ]
    if not living:
        return ""
    count = "1 session lives" if len(living) == 1 else f"{len(living)} sessions live"
    if now.tmux.socket != was.tmux.socket:
        return f"tmux.socket changed while {count} on {was.tmux.socket}; first: claude-failover sessions stop"
    if now.shared_dir != was.shared_dir:
        return f"shared_dir changed while {count} on {was.shared_dir}; first: claude-failover sessions stop"
    known = {account.name for account in now.accounts}
    for account, used in sorted(Counter(placement.account for placement in living).items()):
        if account not in known:
            return (
                f"accounts: {account} is gone while {used} of its sessions live; first: claude-failover swap --to "
                f"{now.accounts[0].name}, or leave it in with enabled: false"
            )
    return ""
