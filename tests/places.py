"""State dirs for tests: short paths (a Unix socket's address holds 107 bytes), their own tmux server, no fixed port."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from failover.config import Config, load


@contextmanager
def short_dir() -> Iterator[Path]:
    """Give a new directory, mode 0700, with a path of about 15 characters."""
    made = Path(tempfile.mkdtemp(prefix="cf-", dir="/tmp"))
    try:
        yield made
    finally:
        shutil.rmtree(made, ignore_errors=True)


@contextmanager
def small_config() -> Iterator[Config]:
    """Give a configuration with one account, no sessions, and a tmux server of its own that ends with it."""
    with short_dir() as place:
        file = place / "config.yaml"
        file.write_text(
            f"version: 1\nstate_dir: {place}/s\nshared_dir: {place}/shared\n"
            f"accounts:\n  - {{name: main, config_dir: {place}/main}}\n"
            f'tmux: {{socket: "{place.name}"}}\nhttp: {{listen: "127.0.0.1:0"}}\n'
        )
        try:
            yield load(file)
        finally:
            subprocess.run(["tmux", "-L", place.name, "kill-server"], capture_output=True, timeout=5)
