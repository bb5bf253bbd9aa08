"""The pool for Prometheus: what is so now, from the store, and what was counted (failover/store/totals.py).

Loaded at the first scrape, with prometheus-client. No label has a value that a session, a task or a file could choose;
each is of the configuration or of a fixed list, so that the number of series is bounded by the configuration.
"""

from __future__ import annotations

import contextlib
import platform
import time
from collections import Counter
from collections.abc import Iterator
from importlib.metadata import version

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector

from failover.config import Config
from failover.core.tally import FAMILIES, Tally, cumulative
from failover.errors import HostError
from failover.host import daemon
from failover.host.process import ProcessId
from failover.host.resources import proportional, resources
from failover.http import account_views, views
from failover.store import flags, logins, orders, outbox, swaps, tasks, totals
from failover.store.db import Store

_PREFIX = "claude_failover_"
#: So many projects, the first of the configuration, have a series of their own; the others are one.
PROJECTS = 50
OTHERS = "(others)"
#: How often it is looked ahead (seconds).
_FORESEEN_EACH = 60.0


def scrape(config: Config, pending: Tally, accept: str, pss: bool) -> tuple[bytes, str]:
    """Return the metrics and their content type. accept: the request's header; pss: with the roles' share of memory.

    pending: what the control plane itself counted since the last scrape; it is kept with the rest. For a thread of its
    own: it has its own connection. Raises StoreError; then `pending` was not kept.
    """
    store = Store.open(config.paths.store, "control-plane")
    try:
        counted = totals.count(config, store, pending)
        registry = CollectorRegistry()
        registry.register(_Pool(config, store, counted, pss))
        encode, content_type = choose_encoder(accept)
        return encode(registry), content_type
    finally:
        store.close()


class _Foresight:
    """What was expected last. A look ahead goes through hundreds of readings, and changes little within a minute."""

    def __init__(self) -> None:
        self._config: Config | None = None
        self._made = 0.0
        self._crosses: dict[tuple[str, str], float | None] = {}

    def look(
        self, config: Config, store: Store
    ) -> tuple[tuple[account_views.AccountView, ...], dict[tuple[str, str], float | None]]:
        """Return the accounts, and when each window is expected at its threshold (epoch seconds)."""
        now = time.monotonic()
        stale = config is not self._config or now - self._made > _FORESEEN_EACH
        found = account_views.accounts(config, store, foreseen=stale)
        if stale:
            self._config, self._made = config, now
            self._crosses = {
                (one.name, window.window): window.forecast.crosses if window.forecast else None
                for one in found
                for window in one.windows
            }
        return found, self._crosses


_FORESIGHT = _Foresight()


class _Pool(Collector):
    """Collects once. describe: a registry would collect for it otherwise."""

    def __init__(self, config: Config, store: Store, counted: Tally, pss: bool) -> None:
        self._config, self._store, self._counted, self._pss = config, store, counted, pss

    def describe(self) -> list[Metric]:
        return []

    def collect(self) -> Iterator[Metric]:
        build = _gauge("build_info", "1; the version that runs.", "version", "python")
        build.add_metric((version("claude-failover"), platform.python_version()), 1)
        yield build
        yield _plain("paused", "1 while a person has paused the pool.", flags.paused(self._store) is not None)
        yield _plain("orders_open", "Orders that nobody has carried out yet.", len(orders.pending(self._store)))
        yield from self._accounts()
        yield self._sessions()
        yield from self._tasks()
        yield from self._swaps()
        yield from self._roles()
        yield from self._notices()
        yield from self._files()
        yield from _counted(self._counted)

    def _accounts(self) -> Iterator[Metric]:
        of = ("account", "window")
        used = _gauge("account_utilization_ratio", "Used part of a window, 0 to 1; absent while unknown.", *of)
        limit = _gauge("account_threshold_ratio", "Part of a window from which on the account is left.", *of)
        reset = _gauge("account_reset_timestamp_seconds", "When the window resets.", *of)
        read = _gauge("account_reading_timestamp_seconds", "When the window was last read.", *of)
        soon = _gauge("account_forecast_timestamp_seconds", "When the window is expected at its threshold.", *of)
        usable = _gauge("account_usable", "1 while it is enabled and no window of it is known to be at its threshold.",
                        "account")  # fmt: skip
        views_now, foreseen = _FORESIGHT.look(self._config, self._store)
        for one in views_now:
            for window in one.windows:
                labels = (one.name, window.window)
                limit.add_metric(labels, window.threshold / 100)
                if window.used is not None:
                    used.add_metric(labels, window.used / 100)
                    read.add_metric(labels, window.observed_ms / 1000)
                if window.resets_at is not None:
                    reset.add_metric(labels, window.resets_at)
                if (crosses := foreseen.get((one.name, window.window))) is not None:
                    soon.add_metric(labels, crosses)
            full = any(window.used is not None and window.used >= window.threshold for window in one.windows)
            usable.add_metric((one.name,), one.enabled and one.paid != "never" and not full)
        ends = _gauge("account_login_expiry_timestamp_seconds", "When the account's login ends.", "account")
        for account, at in logins.ends(self._store).items():
            ends.add_metric((account,), at)
        yield from (used, limit, reset, read, soon, usable, ends)

    def _sessions(self) -> Metric:
        family = _gauge("sessions", "Sessions by account and state.", "account", "state")
        found = Counter((view.account, view.state) for view in views.session_views(self._config, self._store))
        for labels, count in sorted(found.items()):
            family.add_metric(labels, count)
        return family

    def _tasks(self) -> Iterator[Metric]:
        now_ms, queued, handed = self._store.now_ms(), tasks.queued_by_project(self._store), Counter[str]()
        oldest: dict[str, int] = {}
        for task in tasks.handed_over(self._store):
            state = "blocked" if task.blocked else task.state
            handed[state] += 1
            oldest[state] = min(oldest.get(state, now_ms), task.started_ms or task.queued_ms)
        if queued:
            oldest["queued"] = tasks.oldest_queued_ms(self._store)
        count = _gauge("tasks", "Open tasks by state.", "state")
        age = _gauge("task_oldest_age_seconds", "How long the oldest task of a state is in it, 0 for none.", "state")
        for state in ("queued", "delivering", "running", "blocked"):
            count.add_metric((state,), sum(queued.values()) if state == "queued" else handed[state])
            age.add_metric((state,), max(0, now_ms - oldest.get(state, now_ms)) / 1000)
        depth = _gauge("queue_tasks", "Tasks that wait in a project's queue.", "project")
        own = [str(project) for project in self._config.projects[:PROJECTS]]
        for project in own:
            depth.add_metric((project,), queued.get(project, 0))
        if len(self._config.projects) > len(own):
            rest = (number for project, number in queued.items() if project not in own)
            depth.add_metric((OTHERS,), sum(rest))
        yield from (count, age, depth)

    def _swaps(self) -> Iterator[Metric]:
        yield _plain("swap_in_progress", "1 while a swap, restart, stop or fresh start is under way.",
                     swaps.open_swap(self._store) is not None)  # fmt: skip
        last = _gauge("swap_last_start_timestamp_seconds", "When the last swap between accounts began.", "source",
                      "target", "outcome")  # fmt: skip
        if row := swaps.last_swap(self._store):
            last.add_metric((row.source, row.target, row.state), row.started_ms / 1000)
        yield last

    def _roles(self) -> Iterator[Metric]:
        up = _gauge("role_up", "1 while the role runs; supervisord counts as one.", "role")
        began = _gauge("role_start_timestamp_seconds", "When the role's process began.", "role")
        resident = _gauge("role_resident_memory_bytes", "Memory of a role, what others share included.", "role")
        share = _gauge("role_proportional_memory_bytes", "Memory of a role, shared pages by share (PSS).", "role")
        cpu = _counter("role_cpu_seconds", "Processor time of the role's process.", "role")
        rows = self._store.query("SELECT role, pid, start FROM roles")
        processes: dict[str, ProcessId | None] = dict.fromkeys(views.ROLES)
        processes |= {row["role"]: ProcessId(row["pid"], row["start"]) for row in rows}
        with contextlib.suppress(HostError):
            if keeper := daemon.find(self._config.paths):  # under another service manager there is none
                processes["supervisord"] = keeper
        for role, process in processes.items():
            found = resources(process) if process else None
            up.add_metric((role,), found is not None)
            if found is None or process is None:
                continue
            began.add_metric((role,), found.began)
            resident.add_metric((role,), found.resident)
            cpu.add_metric((role,), found.cpu)
            if self._pss and (pss := proportional(process)) is not None:
                share.add_metric((role,), pss)
        yield from (up, began, resident, *([share] if self._pss else []), cpu)

    def _notices(self) -> Iterator[Metric]:
        behind = _gauge("notifier_backlog_notices", "Notices that a sink is still to be told.", "sink")
        age = _gauge("notifier_backlog_age_seconds", "How long the oldest of them has waited, 0 for none.", "sink")
        now_ms, waiting = self._store.now_ms(), outbox.oldest(self._store)
        for name in outbox.sinks(self._store):
            count, since_ms = waiting.get(name, (0, now_ms))
            behind.add_metric((name,), count)
            age.add_metric((name,), max(0, now_ms - since_ms) / 1000)
        yield from (behind, age)

    def _files(self) -> Iterator[Metric]:
        size = _gauge("store_size_bytes", "Size of the store's files.", "file")
        path = self._config.paths.store
        for file in (path, path.with_name(f"{path.name}-wal")):
            with contextlib.suppress(FileNotFoundError):
                size.add_metric((file.name,), file.stat().st_size)
        yield size
        # SQLite's own counters: they know of rows that were deleted long ago.
        written = {row["name"]: row["seq"] for row in self._store.query("SELECT name, seq FROM sqlite_sequence")}
        for table, name, what in (("events", "events", "Events"), ("hook_calls", "hooks", "Hooks")):
            family = _counter(name, f"{what} that were written to the store.")
            family.add_metric((), written.get(table, 0))
            yield family


def _counted(tally: Tally) -> Iterator[Metric]:
    found = tally.items()
    for name, family in FAMILIES.items():
        series = [(labels, values) for (of, labels), values in found if of == name]
        if not family.buckets:
            counter = _counter(name, family.help, *family.labels)
            for labels, values in series:
                counter.add_metric(labels, values[0])
            yield counter
            continue
        histogram = HistogramMetricFamily(_PREFIX + name, family.help, labels=list(family.labels))
        for labels, values in series:
            bounds = [(_bound(bound), count) for bound, count in cumulative(name, values)]
            histogram.add_metric(labels, bounds, values[-1])
        yield histogram


def _bound(value: float) -> str:
    return "+Inf" if value == float("inf") else str(value)


def _gauge(name: str, text: str, *labels: str) -> GaugeMetricFamily:
    return GaugeMetricFamily(_PREFIX + name, text, labels=labels)


def _counter(name: str, text: str, *labels: str) -> CounterMetricFamily:
    return CounterMetricFamily(_PREFIX + name, text, labels=labels)


def _plain(name: str, text: str, value: float) -> Metric:
    return GaugeMetricFamily(_PREFIX + name, text, value=value)
