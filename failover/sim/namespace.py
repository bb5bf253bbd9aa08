"""A network of one's own in which api.anthropic.com is the fake API: for what the real CLI asks by name.

`unshare` gives the command a network with nothing but loopback and a hosts file of its own; nothing of it is left
when the command has ended, and no packet can leave.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Sequence
from pathlib import Path

_HOSTS = "127.0.0.1 localhost api.anthropic.com platform.claude.com\n"
_SETUP = 'ip link set lo up && mount --bind "$1" /etc/hosts && shift && exec "$@"'


def inside(folder: Path, command: Sequence[str]) -> list[str]:
    """Return the command line that runs `command` in a network of its own. folder: where its hosts file is put."""
    hosts = folder / "hosts"
    hosts.write_text(_HOSTS)
    root = [] if os.geteuid() == 0 else ["--map-root-user"]
    return ["unshare", *root, "--net", "--mount", "--", "sh", "-c", _SETUP, "sh", str(hosts), *command]


def refused(folder: Path) -> str:
    """Return why this host does not permit such a network, empty when it does."""
    try:
        done = subprocess.run(inside(folder, ["true"]), capture_output=True, text=True, timeout=20)
    except OSError as error:
        return f"unshare: {error.strerror}"
    return done.stderr.strip() if done.returncode else ""


def certificates(folder: Path) -> tuple[Path, Path, Path]:
    """Make a throw-away authority and a leaf for the two names; return its certificate, the leaf's, and its key."""
    authority, leaf, key = folder / "ca.crt", folder / "leaf.crt", folder / "leaf.key"
    names = "subjectAltName=DNS:api.anthropic.com,DNS:platform.claude.com"
    new = ["openssl", "req", "-newkey", "rsa:2048", "-nodes", "-subj"]
    _run([*new, "/CN=made up", "-x509", "-days", "2", "-keyout", str(folder / "ca.key"), "-out", str(authority)])
    _run([*new, "/CN=api.anthropic.com", "-addext", names, "-keyout", str(key), "-out", str(folder / "leaf.csr")])
    _run(["openssl", "x509", "-req", "-in", str(folder / "leaf.csr"), "-copy_extensions", "copy", "-days", "2",
          "-CA", str(authority), "-CAkey", str(folder / "ca.key"), "-CAcreateserial", "-out", str(leaf)])  # fmt: skip
    return authority, leaf, key


def _run(command: Sequence[str]) -> None:
    subprocess.run(command, check=True, capture_output=True, timeout=60)
