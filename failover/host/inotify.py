"""Wake a poll when something changes under a folder. A hint only: whoever is woken looks at everything."""

from __future__ import annotations

import contextlib
import logging
import os
import threading
from collections.abc import Iterable, Sequence
from pathlib import Path

import watchfiles

from failover.host.wake import pipe

logging.getLogger("watchfiles").setLevel(logging.WARNING)  # it counts every change aloud


class Watch:
    """Watches folders; `descriptor` becomes readable after a change. Folders that do not exist are left out.

    files: whether `changed` tells of files, and not of their folders. comes: only that a file comes or changes is told,
    and only where its name ends so; empty for all.
    debounce_ms: a change is told when nothing has followed it for half of that, and at the latest after all of it. The
    library wakes up each half whether there is a change or not: at 5 ms that was half of what a daemon at rest took,
    and at 25 a tenth of what a hundred sessions at work cost; at 50 a third of what two roles took there.
    """

    def __init__(
        self,
        folders: Sequence[Path],
        *,
        files: bool = False,
        comes: str = "",
        debounce_ms: int = 200,
    ) -> None:
        self.descriptor, self._end = pipe()
        self._files, self._comes = files, comes
        self._stop = threading.Event()
        self._changed: set[str] = set()
        self._lock = threading.Lock()
        self.folders = tuple(folder for folder in folders if folder.is_dir())
        self._thread = threading.Thread(target=self._run, args=(debounce_ms,), daemon=True)
        if self.folders:
            self._thread.start()

    def _run(self, debounce_ms: int) -> None:
        while not self._stop.is_set():
            try:
                self._watch(debounce_ms)
            except RuntimeError:
                # A file name that is no UTF-8 ends the watch (watchfiles 1.1): then anything may have changed.
                self._ring(str(folder) for folder in self.folders)

    def _ring(self, changed: Iterable[str]) -> None:
        with self._lock:
            self._changed.update(changed)
        with contextlib.suppress(BlockingIOError):
            os.write(self._end, b"!")

    def _watch(self, debounce_ms: int) -> None:
        changes = watchfiles.watch(
            *self.folders,
            watch_filter=self._matters if self._comes else None,
            recursive=False,
            debounce=debounce_ms,
            step=max(1, debounce_ms // 2),
            stop_event=self._stop,
            rust_timeout=1000,
            ignore_permission_denied=True,
        )
        for seen in changes:
            # Not by way of Path: ten times faster.
            self._ring(path if self._files else os.path.dirname(path) for _, path in seen)  # noqa: PTH120

    def _matters(self, change: watchfiles.Change, path: str) -> bool:
        return change is not watchfiles.Change.deleted and path.endswith(self._comes)

    def drain(self) -> bool:
        """Take what woke the poll, so that the next change wakes it again; say whether there was anything."""
        woken = False
        with contextlib.suppress(BlockingIOError):
            while os.read(self.descriptor, 1024):
                woken = True
        return woken

    def changed(self) -> set[str]:
        """Return the folders in which something changed since this was last asked (or the files); a folder alone also
        where anything in it may have."""
        with self._lock:
            changed, self._changed = self._changed, set()
        return changed

    def close(self) -> None:
        """Stop watching."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(timeout=3)
        os.close(self.descriptor)
        os.close(self._end)
