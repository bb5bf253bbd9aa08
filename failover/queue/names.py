"""Which names a task file may have. A name is data: it stands in a prompt, in paths and on terminals."""

from __future__ import annotations

import os

SUFFIX = ".md"
#: Ends the name of the marker beside a task's file.
MARK = ".dispatched"
#: A file's name holds 255 bytes (ext4, xfs, btrfs), and the longest made of a task's is NAME.md.dispatched.
MAX_BYTES = 255 - len(".md.dispatched")
#: Besides letters and digits. Not in it: quotes, backslash and `, which could end the quoting in the prompt; @ # ! and
#: /, which mean something to the binary's input line; < and >.
_MARKS = frozenset(" ._-+=,()&%~")


def problem(name: str) -> str:
    """Return what is wrong with a task's name (the file's without `.md`), empty when nothing is."""
    try:
        size = len(name.encode())
    except UnicodeEncodeError:
        return "its name is not UTF-8"
    if size > MAX_BYTES:
        return f"its name is {size} bytes long; the most is {MAX_BYTES}"
    if not name or not name[0].isalnum():
        return "its name does not begin with a letter or digit"
    if name != name.strip():
        return "its name ends with a blank"
    for character in name:
        if not character.isalnum() and character not in _MARKS:
            return f"its name has the character {character!a} in it"
    return ""


def shown(name: str) -> str:
    """Return any file name as text that can be printed and stored: what cannot is escaped."""
    text = os.fsencode(name).decode("utf-8", "backslashreplace")
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def beside(name: str, ending: str) -> str:
    """Return the name of a file that stands beside `name`, cut (and made unique by a digest) where it is too long."""
    raw = os.fsencode(name)
    if len(raw) + len(ending) <= 255:
        return name + ending
    import hashlib  # it brings OpenSSL, 0.7 MiB of a role that hardly ever meets such a name

    digest = hashlib.sha256(raw).hexdigest()[:12]
    # Cut in the middle of a character the rest would not be UTF-8.
    head = raw[: 255 - len(ending) - len(digest) - 1].decode("utf-8", "ignore")
    return f"{head}-{digest}{ending}"
