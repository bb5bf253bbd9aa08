"""What a configuration for a host would say, from what was found on it. Paths are texts: nothing is looked up here."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence

import msgspec

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
_NUMBERED = re.compile(r"(.*?)(0|[1-9]\d{0,3})(\D*)", re.DOTALL)
_RANGE = re.compile(r"\{(\d+)\.\.\d+\}")


class Dir(msgspec.Struct, frozen=True, kw_only=True):
    """A config dir. tree: the real folder that holds its `projects/` (empty: it has none); identity: who is logged in,
    empty when that is not known; login: the same for people; problem: why the binary could not say."""

    path: str
    tree: str = ""
    logged_in: bool = False
    identity: str = ""
    login: str = ""
    problem: str = ""


class Running(msgspec.Struct, frozen=True, kw_only=True):
    """A tmux session whose first pane runs the binary. config_dir: the one that it was started with."""

    name: str
    cwd: str
    config_dir: str


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """What is on the host. dirs, and the config_dir of sessions: real paths; home: the operator's, real too;
    projects: folders with an `.agent-queue/`."""

    home: str
    dirs: tuple[Dir, ...] = ()
    sessions: tuple[Running, ...] = ()
    projects: tuple[str, ...] = ()


class DraftAccount(msgspec.Struct, frozen=True, kw_only=True):
    """An account. left_out: why it is only a comment in the file, empty when it is a part of it; remark: for people."""

    name: str
    config_dir: str
    remark: str = ""
    left_out: str = ""


class DraftSession(msgspec.Struct, frozen=True, kw_only=True):
    """Sessions that differ in a number only. name: may hold a range; account: empty for the preferred one."""

    name: str
    project: str
    account: str = ""


class Draft(msgspec.Struct, frozen=True, kw_only=True):
    """What the configuration would say. remarks: what a person should know, a sentence each."""

    shared_dir: str
    accounts: tuple[DraftAccount, ...]
    sessions: tuple[DraftSession, ...] = ()
    projects: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()


def propose(found: Found) -> Draft:
    """Return the configuration that leaves everything where it is: the account in use first, sessions on theirs."""
    remarks: list[str] = []
    used = Counter(session.config_dir for session in found.sessions)
    default = f"{found.home}/.claude"
    kept: list[Dir] = []
    left: list[tuple[Dir, str]] = []
    owners: dict[str, str] = {}
    for one in sorted(found.dirs, key=lambda one: (-used[one.path], one.path == default, _name_of(one.path))):
        if not expressible(one.path):
            remarks.append(f"{one.path}: left out, since its path holds a $ or a control character")
        elif one.problem:
            left.append((one, one.problem))
        elif not one.logged_in:
            left.append((one, "nobody is logged in there"))
        elif one.identity and one.identity in owners:
            left.append((one, f"it is the same login as {owners[one.identity]}"))
        else:
            kept.append(one)
            if one.identity:
                owners[one.identity] = one.path
    shared = _shared(found, {one.path for one in kept}, default)
    if shared == f"{default}-shared" and any(one.path == default for one in kept):
        remarks.append(
            f"{default} is an account here, so it cannot be the tree that all share: claude-failover accounts link "
            f"moves its conversations and settings into {shared} and leaves links in their place"
        )
    left = [(one, why) for one, why in left if one.path != shared]
    accounts = _accounts(kept, left, used, shared, default)
    if not kept:
        remarks.append("nobody is logged in anywhere: log in under each account before the first session is started")
    if sum(not account.left_out for account in accounts) < 2:
        remarks.append(
            "there is one account only, so there is nowhere to fail over to; see: claude-failover accounts add"
        )
    sessions, more = _sessions(found.sessions, accounts)
    projects = tuple(project for project in sorted(found.projects) if expressible(project))
    return Draft(shared_dir=shared, accounts=accounts, sessions=sessions, projects=projects, remarks=(*remarks, *more))


def _name_of(path: str) -> tuple[bool, str]:
    """Return what sorts folders of which none is in use more than another: one that is called main comes first."""
    return not path.endswith("-main"), path


def _shared(found: Found, accounts: set[str], default: str) -> str:
    """Return the tree that most config dirs link to, else the binary's own folder, else one beside it."""
    linked = Counter(one.tree for one in found.dirs if one.tree and one.tree != one.path and expressible(one.tree))
    for tree, _ in linked.most_common():
        if tree not in accounts:
            return tree
    return default if default not in accounts else f"{default}-shared"


def _accounts(
    kept: Sequence[Dir], left: Sequence[tuple[Dir, str]], used: Counter[str], shared: str, default: str
) -> tuple[DraftAccount, ...]:
    names: set[str] = set()

    def draft(one: Dir, left_out: str = "") -> DraftAccount:
        count = used[one.path]
        running = f"{count} session{'s' if count > 1 else ''} of it run{'s' if count == 1 else ''} now" if count else ""
        remark = "; ".join(part for part in (one.login, running) if part)
        return DraftAccount(
            name=_named(one.path, default, names), config_dir=one.path, remark=remark, left_out=left_out
        )

    accounts = [draft(one) for one in kept]
    # A configuration needs one account: without any login the first folder that could take one stands in for it.
    if not accounts:
        free = next((one for one, why in left if not why.startswith("it is")), None)
        first = free or Dir(path=f"{default}-main")
        accounts.append(msgspec.structs.replace(draft(first), remark="nobody is logged in there yet"))
        left = [(one, why) for one, why in left if one is not free]
    return (*accounts, *(draft(one, why) for one, why in left))


def _named(path: str, default: str, taken: set[str]) -> str:
    """Return a name for the account of a folder: of ~/.claude-work it is work."""
    last = path.rpartition("/")[2].lstrip(".")
    text = "main" if path == default else last.removeprefix("claude").lstrip("-_.") or last
    name = re.sub(r"[^A-Za-z0-9_-]+", "-", text).strip("-_")[:60] or "account"
    choices = (name, *(f"{name}-{number}" for number in range(2, len(taken) + 3)))
    free = next(choice for choice in choices if choice not in taken)
    taken.add(free)
    return free


def _sessions(
    running: Sequence[Running], accounts: Sequence[DraftAccount]
) -> tuple[tuple[DraftSession, ...], list[str]]:
    by_dir = {account.config_dir: account.name for account in accounts if not account.left_out}
    preferred = accounts[0].name
    groups: dict[tuple[str, str], list[str]] = {}
    remarks: list[str] = []
    seen: set[str] = set()
    for one in running:
        if one.name in seen:
            continue  # a second one in the same pane, in the background
        seen.add(one.name)
        if not _NAME.fullmatch(one.name):
            remarks.append(f"the session {one.name!r} is left out: rename it to letters, digits, - and _")
            continue
        if not expressible(one.cwd):
            remarks.append(
                f"the session {one.name} is left out: the path of its folder holds a $ or a control character"
            )
            continue
        account = by_dir.get(one.config_dir, "")
        if not account:
            remarks.append(f"the session {one.name} runs under {one.config_dir}, which is no account here")
        groups.setdefault((one.cwd, "" if account == preferred else account), []).append(one.name)
    drafts = [
        DraftSession(name=name, project=project, account=account)
        for (project, account), names in groups.items()
        for name in fold(names)
    ]
    return tuple(sorted(drafts, key=lambda one: order(_RANGE.sub(r"\1", one.name)))), remarks


def order(name: str) -> tuple[str, int, str]:
    """Return what sorts names as people do: ccl-2 before ccl-10."""
    match = _NUMBERED.fullmatch(name)
    return (match[1], int(match[2]), match[3]) if match else (name, -1, "")


def fold(names: Iterable[str]) -> list[str]:
    """Return names with runs of two or more numbers written as ranges: ccl-0, ccl-1, ccl-2 as ccl-{0..2}."""
    folded: list[str] = []
    runs: list[tuple[str, int, int, str]] = []
    for name in sorted(set(names), key=order):
        match = _NUMBERED.fullmatch(name)
        if match is None:
            folded.append(name)
            continue
        before, number, after = match[1], int(match[2]), match[3]
        if before[-1:].isdigit():  # ccl-007: the range would write it as ccl-7
            folded.append(name)
        elif runs and runs[-1][::3] == (before, after) and runs[-1][2] == number - 1:
            runs[-1] = (before, runs[-1][1], number, after)
        else:
            runs.append((before, number, number, after))
    for before, low, high, after in runs:
        middle = f"{{{low}..{high}}}" if high > low else str(low)
        folded.append(f"{before}{middle}{after}")
    return folded


def expressible(path: str) -> bool:
    """Say whether a path can stand in the configuration, where $NAME is a variable."""
    return path.isprintable() and not re.search(r"\$\{?\w", path)
