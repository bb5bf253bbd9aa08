"""The link farm: accounts of their own, one shared tree, and nothing ever overwritten."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from failover.claude import config_dir
from failover.errors import HostError


@pytest.fixture
def account(tmp_path: Path) -> Path:
    return tmp_path / "account"


@pytest.fixture
def shared(tmp_path: Path) -> Path:
    return tmp_path / "shared"


def tree(root: Path) -> dict[str, str]:
    """Return everything below `root`: files with their content, links with their target."""
    found = {}
    for path in sorted(root.rglob("*")):
        name = str(path.relative_to(root))
        if path.is_symlink():
            found[name] = f"-> {path.readlink()}"
        else:
            found[name] = path.read_text() if path.is_file() else "/"
    return found


def test_a_new_account_becomes_whole_and_private(account: Path, shared: Path) -> None:
    done = config_dir.make_whole(account, shared)
    assert stat.S_IMODE(account.stat().st_mode) == 0o700
    for name in ("projects", "sessions", "settings.json"):
        assert os.path.realpath(account / name) == str((shared / name).resolve())
    assert f"link {account / 'projects'} to {shared / 'projects'}" in done
    assert (shared / "settings.json").read_text() == "{}\n"


def test_a_whole_account_needs_nothing(account: Path, shared: Path) -> None:
    config_dir.make_whole(account, shared)
    before = tree(account.parent)
    assert config_dir.plan(account, shared) == []
    assert config_dir.make_whole(account, shared) == []
    assert tree(account.parent) == before


def test_what_only_some_users_have_is_linked_when_it_is_there(account: Path, shared: Path) -> None:
    (shared / "agents").mkdir(parents=True)
    (shared / "CLAUDE.md").write_text("be brief")
    config_dir.make_whole(account, shared)
    assert (account / "CLAUDE.md").read_text() == "be brief"
    assert (account / "agents").is_symlink()
    assert not os.path.lexists(account / "commands")


def test_identity_is_never_shared(account: Path, shared: Path) -> None:
    shared.mkdir()
    for name in (".credentials.json", ".claude.json"):
        (shared / name).write_text("the shared tree's own")
        assert name not in config_dir.SHARED
    config_dir.make_whole(account, shared)
    assert not os.path.lexists(account / ".credentials.json")
    assert not os.path.lexists(account / ".claude.json")


def test_an_account_that_is_the_shared_tree_itself_needs_no_link(shared: Path) -> None:
    shared.mkdir(mode=0o700)
    assert config_dir.plan(shared, shared) == []


def test_a_folder_open_to_others_is_closed(account: Path, shared: Path) -> None:
    account.mkdir()
    account.chmod(0o755)
    config_dir.make_whole(account, shared)
    assert stat.S_IMODE(account.stat().st_mode) == 0o700


def test_a_dry_run_touches_nothing(account: Path, shared: Path) -> None:
    (account / "projects" / "p").mkdir(parents=True)
    before = tree(account.parent)
    steps = config_dir.plan(account, shared)
    assert {step.kind for step in steps} >= {"make_dir", "link", "move"}
    assert all(step.sentence for step in steps)
    assert tree(account.parent) == before


def test_conversations_of_an_account_of_its_own_stop_a_swap_and_nothing_is_moved(account: Path, shared: Path) -> None:
    (account / "projects" / "p").mkdir(parents=True)
    before = tree(account.parent)
    with pytest.raises(HostError, match="claude-failover accounts link --dry-run"):
        config_dir.make_whole(account, shared)
    assert tree(account.parent) == before


def test_an_empty_folder_gives_way_to_its_link(account: Path, shared: Path) -> None:
    (account / "sessions").mkdir(parents=True)
    (shared / "sessions").mkdir(parents=True)
    config_dir.make_whole(account, shared)
    assert (account / "sessions").is_symlink()


def test_adopting_moves_conversations_into_the_shared_tree(account: Path, shared: Path) -> None:
    (account / "projects" / "p").mkdir(parents=True)
    (account / "projects" / "p" / "one.jsonl").write_text("one")
    (account / "projects" / "q").mkdir()
    (account / "projects" / "q" / "link").symlink_to("nowhere")
    (account / "settings.json").write_text("{}")
    (shared / "projects" / "p").mkdir(parents=True)
    (shared / "projects" / "p" / "two.jsonl").write_text("two")
    config_dir.apply(config_dir.plan(account, shared))
    assert tree(shared / "projects") == {
        "p": "/",
        "p/one.jsonl": "one",
        "p/two.jsonl": "two",
        "q": "/",
        "q/link": "-> nowhere",
    }
    assert (account / "projects").is_symlink()
    assert (shared / "settings.json").read_text() == "{}"
    assert config_dir.plan(account, shared) == []


def test_names_taken_on_both_sides_are_reported_and_left_alone(account: Path, shared: Path) -> None:
    for root, text in ((account, "mine"), (shared, "theirs")):
        (root / "projects" / "p").mkdir(parents=True)
        (root / "projects" / "p" / "same.jsonl").write_text(text)
        (root / "settings.json").write_text(text)
    (account / "projects" / "p" / "only-here.jsonl").write_text("mine")
    steps = [step for step in config_dir.plan(account, shared) if step.kind == "collision"]
    assert [step.path.name for step in steps] == ["projects", "settings.json"]
    assert "same.jsonl" in steps[0].sentence
    assert "merge by hand" in steps[0].sentence
    config_dir.apply(config_dir.plan(account, shared))
    assert (account / "projects" / "p" / "same.jsonl").read_text() == "mine"
    assert (account / "projects" / "p" / "only-here.jsonl").read_text() == "mine"
    assert (shared / "projects" / "p" / "same.jsonl").read_text() == "theirs"
    assert (account / "settings.json").read_text() == "mine"


def test_what_says_the_same_on_both_sides_gives_way_to_its_link(account: Path, shared: Path) -> None:
    for root in (account, shared):
        (root / "plugins").mkdir(parents=True)
        (root / "plugins" / "config.json").write_text("same")
        (root / "settings.json").write_text("same")
    (account / "plugins" / "more.json").write_text("mine")
    steps = config_dir.plan(account, shared)
    assert f"replace {account / 'settings.json'}, which is the same as" in " ".join(step.sentence for step in steps)
    config_dir.apply(steps)
    assert config_dir.plan(account, shared) == []
    assert tree(shared / "plugins") == {"config.json": "same", "more.json": "mine"}
    assert (account / "settings.json").readlink() == shared / "settings.json"


@pytest.mark.parametrize(("mine", "theirs"), [("{}\n", '{"a": 1}'), ('{"a": 1}', "{}\n")])
def test_settings_that_say_nothing_give_way_to_those_that_say_something(
    account: Path, shared: Path, mine: str, theirs: str
) -> None:
    for root, text in ((account, mine), (shared, theirs)):
        root.mkdir()
        (root / "settings.json").write_text(text)
    config_dir.apply(config_dir.plan(account, shared))
    assert config_dir.plan(account, shared) == []
    assert (account / "settings.json").read_text() == (shared / "settings.json").read_text() == '{"a": 1}'


def test_the_plan_for_several_accounts_says_what_then_happens(account: Path, shared: Path) -> None:
    accounts = [account, account.with_name("second"), account.with_name("third")]
    for number, folder in enumerate(accounts):
        (folder / "projects").mkdir(parents=True)
        (folder / "projects" / f"own-{number}").write_text("own")
        (folder / "plugins").mkdir()
        (folder / "plugins" / "config.json").write_text("same" if number < 2 else "other")
    (accounts[1] / "settings.json").write_text("second")
    (accounts[2] / "settings.json").write_text("third")
    foretold: list[config_dir.LinkStep] = []
    for folder in accounts:
        foretold += config_dir.plan(folder, shared, foretold)
    done: list[config_dir.LinkStep] = []
    for folder in accounts:
        steps = config_dir.plan(folder, shared)
        config_dir.apply(steps)
        done += steps
    assert [(step.kind, step.path) for step in foretold] == [(step.kind, step.path) for step in done]
    left = [step.path for step in done if step.kind == "collision"]
    assert left == [accounts[2] / "plugins", accounts[2] / "settings.json"]
    assert {path.name for path in (shared / "projects").iterdir()} == {"own-0", "own-1", "own-2"}


def test_a_link_to_somewhere_else_is_left_alone(account: Path, shared: Path, tmp_path: Path) -> None:
    account.mkdir()
    (account / "plugins").symlink_to(tmp_path)
    (account / "projects").symlink_to(tmp_path)
    config_dir.apply(config_dir.plan(account, shared))
    assert (account / "plugins").readlink() == tmp_path
    with pytest.raises(HostError, match="is the account's own"):
        config_dir.make_whole(account, shared)


def test_a_link_into_a_shared_tree_that_was_emptied_is_mended(account: Path, shared: Path) -> None:
    config_dir.make_whole(account, shared)
    (shared / "sessions").rmdir()
    assert config_dir.make_whole(account, shared) == [f"make {shared / 'sessions'}, for you alone"]


def test_what_appears_after_the_plan_is_not_overwritten(account: Path, shared: Path) -> None:
    (account / "projects").mkdir(parents=True)
    (account / "projects" / "x").write_text("mine")
    steps = config_dir.plan(account, shared)
    (shared / "projects").mkdir(parents=True)
    (shared / "projects" / "x").write_text("theirs")
    with pytest.raises(HostError, match="nothing was overwritten"):
        config_dir.apply(steps)
    assert (account / "projects" / "x").read_text() == "mine"
    assert (shared / "projects" / "x").read_text() == "theirs"


def test_a_file_where_a_folder_belongs_is_named(account: Path, shared: Path) -> None:
    account.write_text("")
    with pytest.raises(HostError, match="is no folder"):
        config_dir.plan(account, shared)


NAMES = st.sampled_from(
    ["projects/p/a", "projects/p/b", "projects/c", "sessions/1.json", "settings.json", "skills/s/x"]
)


@settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(mine=st.sets(NAMES), theirs=st.sets(NAMES), stop=st.integers(0, 30))
def test_no_content_is_lost_wherever_adopting_stops(
    tmp_path_factory: pytest.TempPathFactory, mine: set[str], theirs: set[str], stop: int
) -> None:
    root = tmp_path_factory.mktemp("farm")
    account, shared = root / "account", root / "shared"
    for base, names in ((account, mine), (shared, theirs)):
        for name in names:
            path = base / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(f"{base.name} {name}")
    config_dir.apply(config_dir.plan(account, shared)[:stop])  # stopped here
    config_dir.apply(config_dir.plan(account, shared))  # and run again
    contents = {path.read_text() for path in root.rglob("*") if path.is_file() and not path.is_symlink()}
    assert contents >= {f"account {name}" for name in mine} | {f"shared {name}" for name in theirs}
