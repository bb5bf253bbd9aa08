"""What was found on a host becomes a configuration that leaves everything where it is."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from failover.core.draft import Dir, Draft, DraftSession, Found, Running, expressible, fold, propose

HOME = "/home/op"


def login(name: str, tree: str = "", who: str = "") -> Dir:
    who = who or f"{name}@example.test"
    return Dir(path=f"{HOME}/{name}", tree=tree, logged_in=True, identity=who, login=f"{who}, max")


def run(name: str, folder: str, cwd: str = "/src/app") -> Running:
    return Running(name=name, cwd=cwd, config_dir=f"{HOME}/{folder}")


def live(draft: Draft) -> list[str]:
    return [account.name for account in draft.accounts if not account.left_out]


def out(draft: Draft) -> dict[str, str]:
    return {account.name: account.left_out for account in draft.accounts if account.left_out}


def test_the_account_in_use_comes_first_and_sessions_stay_on_theirs() -> None:
    shared = f"{HOME}/.claude"
    found = Found(
        home=HOME,
        dirs=(login(".claude-backup", shared), login(".claude-work", shared), Dir(path=shared, tree=shared)),
        sessions=(
            *(run(f"ccl-{number}", ".claude-work") for number in range(3)),
            run("ccl-auto-11", ".claude-backup", "/src/other"),
        ),
        projects=("/src/other", "/src/app"),
    )
    draft = propose(found)
    assert draft.shared_dir == shared
    assert live(draft) == ["work", "backup"]
    assert [account.remark for account in draft.accounts] == [
        ".claude-work@example.test, max; 3 sessions of it run now",
        ".claude-backup@example.test, max; 1 session of it runs now",
    ]
    assert draft.sessions == (
        DraftSession(name="ccl-{0..2}", project="/src/app"),
        DraftSession(name="ccl-auto-11", project="/src/other", account="backup"),
    )
    assert draft.projects == ("/src/app", "/src/other")
    assert draft.remarks == ()


def test_one_login_in_two_folders_is_one_account() -> None:
    draft = propose(
        Found(home=HOME, dirs=(login(".claude", who="me"), login(".claude-a", who="me"), login(".claude-b")))
    )
    assert live(draft) == ["a", "b"]
    # The binary's own folder holds a login that is an account already: it is free to be the tree that all share.
    assert (draft.shared_dir, out(draft)) == (f"{HOME}/.claude", {})
    twice = propose(Found(home=HOME, dirs=(login(".claude-a", who="me"), login(".claude-b", who="me"))))
    assert out(twice) == {"b": f"it is the same login as {HOME}/.claude-a"}
    assert "nowhere to fail over to" in twice.remarks[-1]


def test_a_login_that_has_no_name_yet_is_an_account_of_its_own() -> None:
    unknown = [Dir(path=f"{HOME}/.claude-{name}", logged_in=True) for name in "ab"]
    assert live(propose(Found(home=HOME, dirs=tuple(unknown)))) == ["a", "b"]


def test_the_binarys_own_folder_with_a_login_is_an_account_and_the_shared_tree_lies_beside_it() -> None:
    own = f"{HOME}/.claude"
    draft = propose(Found(home=HOME, dirs=(login(".claude", own), login(".claude-b", own))))
    assert (live(draft), draft.shared_dir) == (["b", "main"], f"{HOME}/.claude-shared")
    assert draft.remarks[0].startswith(f"{own} is an account here")


def test_folders_without_a_login_are_named_and_left_out() -> None:
    broken = Dir(path=f"{HOME}/.claude-broken", problem="claude auth status: no answer")
    draft = propose(Found(home=HOME, dirs=(login(".claude-a"), Dir(path=f"{HOME}/.claude-old"), broken)))
    assert live(draft) == ["a"]
    assert out(draft) == {"old": "nobody is logged in there", "broken": "claude auth status: no answer"}


@pytest.mark.parametrize(
    ("dirs", "first"),
    [((), f"{HOME}/.claude-main"), ((Dir(path=f"{HOME}/.claude-old"),), f"{HOME}/.claude-old")],
)
def test_without_any_login_there_is_still_an_account_to_log_in_to(dirs: tuple[Dir, ...], first: str) -> None:
    draft = propose(Found(home=HOME, dirs=dirs))
    assert [(account.config_dir, account.left_out) for account in draft.accounts] == [(first, "")]
    assert any("log in under each account" in remark for remark in draft.remarks)


def test_what_the_file_cannot_say_is_told() -> None:
    dirs = (login(".claude-a"), login("$HOME"), login(".claude-b", tree="/x/$y"))
    sessions = (
        run("a b", ".claude-a"),
        run("a b", ".claude-b"),
        run("ok", ".claude-a", "/src/$x"),
        run("ccl-1", "gone"),
    )
    draft = propose(Found(home=HOME, dirs=dirs, sessions=sessions, projects=("/a", "/b/$x")))
    assert live(draft) == ["a", "b"]
    assert draft.projects == ("/a",)
    assert draft.sessions == (DraftSession(name="ccl-1", project="/src/app"),)
    told = " | ".join(draft.remarks)
    for part in ("$HOME: left out", "'a b' is left out", "ok is left out", f"ccl-1 runs under {HOME}/gone"):
        assert part in told


def test_two_folders_of_one_name_get_two_names() -> None:
    dirs = [Dir(path=path, logged_in=True) for path in ("/a/.claude-x", "/b/.claude-x", "/c/...", "/d/claude")]
    assert live(propose(Found(home=HOME, dirs=tuple(dirs)))) == ["x", "x-2", "account", "claude"]


@pytest.mark.parametrize(
    ("names", "folded"),
    [
        (["ccl-10", "ccl-9", "ccl-8"], ["ccl-{8..10}"]),
        (["ccl-0", "ccl-2", "ccl-1", "docs", "ccl-5"], ["ccl-{0..2}", "ccl-5", "docs"]),
        (["a1b", "a2b", "a2c"], ["a{1..2}b", "a2c"]),
        (["n-007", "n-008"], ["n-007", "n-008"]),
        (["one"], ["one"]),
        (["3", "4"], ["{3..4}"]),
    ],
)
def test_numbers_in_a_row_are_a_range(names: list[str], folded: list[str]) -> None:
    assert sorted(fold(names)) == sorted(folded)


def unfolded(text: str) -> list[str]:
    before, brace, rest = text.partition("{")
    if not brace:
        return [text]
    middle, _, after = rest.partition("}")
    low, high = middle.split("..")
    return [f"{before}{number}{after}" for number in range(int(low), int(high) + 1)]


@given(st.sets(st.from_regex(r"[a-c-]{0,3}[0-9]{0,3}[a-b]{0,2}", fullmatch=True), max_size=40))
def test_folding_loses_and_invents_no_name(names: set[str]) -> None:
    again = [name for text in fold(names) for name in unfolded(text)]
    assert sorted(again) == sorted(names)


def test_of_folders_that_nobody_uses_the_one_called_main_comes_first() -> None:
    names = [".claude-a", ".claude-main", ".claude"]
    assert live(propose(Found(home=HOME, dirs=tuple(map(login, names)))))[0] == "main"
    assert propose(Found(home=HOME, dirs=tuple(map(login, names)))).accounts[0].config_dir == f"{HOME}/.claude-main"


def test_a_path_with_a_variable_in_it_cannot_be_written() -> None:
    assert expressible("/a/b $ c")
    assert not expressible("/a/$b") and not expressible("/a/${b}") and not expressible("/a\n")
