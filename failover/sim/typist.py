"""A tiny program with a prompt box, for typing into: what is submitted becomes a line of a file.

With a file `deaf` beside it, it shows what is typed and ignores Enter; with `menu` it shows a menu instead, where
Enter would choose.
"""

from __future__ import annotations

import os
import sys
import termios
import tty
from pathlib import Path


def main(folder: Path) -> None:
    termios.tcgetattr(0)
    tty.setraw(0)
    os.write(1, b"\x1b[?2004h> ")
    box = b""
    (folder / "ready").touch()
    while data := os.read(0, 65536):
        if (folder / "menu").exists():
            if b"\r" in data:
                (folder / "chosen").touch()
            continue
        data = data.replace(b"\x1b[200~", b"").replace(b"\x1b[201~", b"")
        box += data.replace(b"\r", b"")
        os.write(1, data.replace(b"\r", b""))
        if b"\r" in data and not (folder / "deaf").exists():
            with (folder / "submitted").open("ab") as out:
                out.write(box + b"\n")
            box = b""
            os.write(1, b"\r\n> ")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
