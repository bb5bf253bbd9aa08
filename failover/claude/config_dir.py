"""Link an account's config dir to the one shared tree, and seed what would otherwise ask a question at the start.

Each account keeps what is its identity (`.credentials.json`, `.claude.json`); conversations, the registry of running
sessions and settings are symlinks into the shared tree. Measured on 2.1.330: all of these survive as symlinks (a write
to settings goes through its link), `.claude.json` and `.credentials.json` do not, the binary replaces them by rename.

Nothing that is there is ever overwritten: a name that is taken on both sides is reported and left alone, unless both
say the same.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal

import msgspec

from failover.claude.seed import seed
from failover.errors import HostError
from failover.host.relocate import clashes, free, relocate

__all__ = ["SHARED", "LinkStep", "apply", "make_whole", "plan", "seed"]

#: Folders that the binary makes and that a conversation needs wherever it goes on. Made in the shared tree.
_NEEDED = ("projects", "sessions")
_MADE = (
    *_NEEDED,
    "file-history",
    "session-env",
    "shell-snapshots",
    "paste-cache",
    "plugins",
    "todos",
    "tasks",
    "plans",
)
#: What a user may have made; linked only when the shared tree or the account has it.
OWN = ("CLAUDE.md", "agents", "commands", "hooks", "keybindings.json", "output-styles", "rules", "skills")
_SETTINGS = "settings.json"
#: Every name that all accounts have in common.
SHARED = (*_MADE, _SETTINGS, *OWN)

StepKind = Literal["make_dir", "make_file", "close", "link", "move", "collision"]


class LinkStep(msgspec.Struct, frozen=True):
    """One step, and what it does in words.

    kind: make_dir and make_file (empty settings) at path; close: path to mode 0700; link: path becomes a symlink to
    target; move: what is in path goes into target and path becomes a symlink to it, so that who uses it at that time
    notices nothing; collision: left as it is.
    """

    kind: StepKind
    path: Path
    target: Path | None
    sentence: str


def plan(account_dir: Path, shared_dir: Path, before: Sequence[LinkStep] = ()) -> list[LinkStep]:
    """Return the steps that are still missing, in order; empty when the account is whole. Touches nothing.

    before: the steps of other accounts that are to be done first. Raises HostError when a path cannot be looked at, or
    the account dir is a symlink to somewhere else's file.
    """
    coming: dict[Path, list[Path]] = {}
    for step in before:
        if step.kind in ("make_dir", "make_file"):
            coming.setdefault(step.path, [])
        elif step.kind == "move" and step.target is not None:
            coming.setdefault(step.target, []).append(step.path)
    try:
        return _plan(account_dir, shared_dir, coming)
    except OSError as error:
        raise HostError(f"{error.filename or account_dir}: {error.strerror}; mend that and try again") from None


def _plan(account_dir: Path, shared_dir: Path, coming: Mapping[Path, list[Path]]) -> list[LinkStep]:
    steps: list[LinkStep] = []
    for directory in (shared_dir, account_dir):
        if not os.path.lexists(directory) and directory not in coming:
            steps.append(LinkStep("make_dir", directory, None, f"make {directory}, for you alone"))
        elif os.path.lexists(directory) and not directory.is_dir():
            raise HostError(f"{directory}: is no folder; name another one in the config, or move that away")
    if account_dir.is_dir() and stat.S_IMODE(account_dir.stat().st_mode) & 0o077:
        steps.append(LinkStep("close", account_dir, None, f"close {account_dir} to other users (mode 700)"))
    if os.path.realpath(account_dir) == os.path.realpath(shared_dir):
        return steps
    for name in SHARED:
        steps += _plan_name(name, account_dir / name, shared_dir / name, coming.get(shared_dir / name))
    return steps


def _plan_name(name: str, path: Path, target: Path, coming: list[Path] | None) -> list[LinkStep]:
    """Return the steps for one name. coming: what will have been moved to the target by then, None for no target."""
    here, there = os.path.lexists(path), not free(target) or coming is not None
    if path.is_symlink():
        if _leads_to(path, target):
            return [_make(name, target)] if not there and name in (*_MADE, _SETTINGS) else []
        sentence = f"leave {path}: it is a link to {path.readlink()}, not to {target}"
        return [LinkStep("collision", path, target, sentence)]
    if not here:
        if not there and name in OWN:
            return []
        link = LinkStep("link", path, target, f"link {path} to {target}")
        return [link] if there else [_make(name, target), link]
    places = [place for place in (target, *(coming or ())) if not free(place) and not _says_nothing(place)]
    if not places:
        return [LinkStep("move", path, target, f"move {path} to {target} and leave a link in its place")]
    if _says_nothing(path):
        return [LinkStep("move", path, target, f"replace {path}, which is empty, by a link to {target}")]
    taken = list(dict.fromkeys(clash for place in places for clash in clashes(path, place)))
    if taken:
        more = f" and {len(taken) - 3} more" if len(taken) > 3 else ""
        names = ", ".join(str(clash) for clash in taken[:3])
        sentence = (
            f"leave {path}: {names}{more} is there and in {target.parent} too; merge by hand, then run this again"
        )
        return [LinkStep("collision", path, target, sentence)]
    if path.is_file():
        sentence = f"replace {path}, which is the same as {target}, by a link to it"
    else:
        sentence = f"move what is in {path} into {target} and leave a link in its place"
    return [LinkStep("move", path, target, sentence)]


def _make(name: str, target: Path) -> LinkStep:
    if name == _SETTINGS:
        return LinkStep("make_file", target, None, f"make {target}, empty")
    return LinkStep("make_dir", target, None, f"make {target}, for you alone")


def apply(steps: Sequence[LinkStep]) -> None:
    """Do the steps of a plan. Safe to stop anywhere and to run again from a new plan.

    Raises HostError when something is in the way now that was not there when the plan was made.
    """
    for step in steps:
        try:
            _apply(step)
        except OSError as error:
            raise HostError(
                f"{step.path}: could not {step.sentence}: {error.strerror}; nothing was overwritten, end the sessions "
                "of that account and run this again"
            ) from None


def _apply(step: LinkStep) -> None:
    match step.kind:
        case "make_dir":
            step.path.mkdir(mode=0o700, parents=True, exist_ok=True)
        case "make_file":
            step.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
            with os.fdopen(os.open(step.path, flags, 0o600), "wb") as file:
                file.write(b"{}\n")
        case "close":
            step.path.chmod(0o700)
        case "link" if step.target is not None:
            _link(step.path, step.target)
        case "move" if step.target is not None:
            for path in (step.target, step.path):
                if _says_nothing(path) and os.path.lexists(step.target):
                    path.unlink()  # to the binary a file that is not there says the same
                    break
            if os.path.lexists(step.path):
                relocate(step.path, step.target)
            else:
                _link(step.path, step.target)


def _says_nothing(path: Path) -> bool:
    """Say whether a path is a settings file without any, as is made where there is none."""
    try:
        return path.name == _SETTINGS and not path.is_symlink() and path.read_bytes().split() == [b"{}"]
    except OSError:
        return False


def _link(path: Path, target: Path) -> None:
    try:
        path.symlink_to(target.absolute())
    except FileExistsError:
        if os.path.realpath(path) != os.path.realpath(target):
            raise


def _leads_to(link: Path, target: Path) -> bool:
    """Say whether a link leads to a target; one as we make it does at the first look: this is asked at each launch."""
    return link.readlink() == target.absolute() or os.path.realpath(link) == os.path.realpath(target)


def make_whole(account_dir: Path, shared_dir: Path) -> list[str]:
    """Make the missing links of an account's config dir and return what was done. Moves nothing that holds something.

    Raises HostError when conversations or the registry cannot be linked because the account has its own.
    """
    steps = plan(account_dir, shared_dir)
    done = [step for step in steps if step.kind in ("make_dir", "make_file", "close", "link") or _empty_dir(step)]
    blocked = [step.path for step in steps if step not in done and step.path.name in _NEEDED]
    if blocked:
        raise HostError(
            f"{blocked[0]}: is the account's own and not linked to {shared_dir}, so conversations could not go on "
            "there; see what would be done with: claude-failover accounts link --dry-run"
        )
    apply(done)
    return [step.sentence for step in done]


def _empty_dir(step: LinkStep) -> bool:
    return step.kind == "move" and _real_dir(step.path) and not any(step.path.iterdir())


def _real_dir(path: Path) -> bool:
    return path.is_dir() and not path.is_symlink()
