"""What is written into an account's `.claude.json`, and what never is."""

from __future__ import annotations

import json
import os
import stat
import threading
from pathlib import Path
from typing import Any

import pytest

from failover.claude import seed as seeding
from failover.claude.seed import seed
from failover.errors import HostError
from tests.waiting import wait_for


@pytest.fixture
def account(tmp_path: Path) -> Path:
    path = tmp_path / "account"
    path.mkdir()
    return path


@pytest.fixture
def shared(tmp_path: Path) -> Path:
    path = tmp_path / "shared"
    path.mkdir()
    return path


def content(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / ".claude.json").read_text())
    return found


def write(folder: Path, **fields: Any) -> None:
    (folder / ".claude.json").write_text(json.dumps(fields))


def test_a_new_account_asks_nothing_in_the_named_folders(account: Path, tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to(tmp_path / "real")
    assert seed(account, [link, Path("/srv/app")])
    found = content(account)
    assert found["hasCompletedOnboarding"] is True
    assert found["projects"][str(tmp_path / "real")] == {"hasTrustDialogAccepted": True}
    assert found["projects"]["/srv/app"] == {"hasTrustDialogAccepted": True}
    assert stat.S_IMODE((account / ".claude.json").stat().st_mode) == 0o600


def test_a_seeded_account_is_not_written_again(account: Path) -> None:
    seed(account, [Path("/srv/app")])
    before = (account / ".claude.json").stat()
    assert not seed(account, [Path("/srv/app")])
    after = (account / ".claude.json").stat()
    assert (before.st_ino, before.st_mtime_ns) == (after.st_ino, after.st_mtime_ns)


def test_what_the_account_has_stays_as_it_is(account: Path) -> None:
    own = {
        "theme": "light",
        "oauthAccount": {"emailAddress": "op@example.test"},
        "numStartups": 7,
        "other": [1, {"a": None}],
    }
    write(account, **own, projects={"/srv/app": {"allowedTools": ["x"], "hasTrustDialogAccepted": False}})
    seed(account, [Path("/srv/app")])
    found = content(account)
    assert {key: found[key] for key in own} == own
    assert found["projects"]["/srv/app"] == {"allowedTools": ["x"], "hasTrustDialogAccepted": True}


def test_mcp_servers_are_mirrored_and_the_accounts_own_are_kept(account: Path, shared: Path) -> None:
    write(account, mcpServers={"both": {"command": "mine"}})
    write(
        shared,
        mcpServers={"both": {"command": "theirs"}, "new": {"command": "theirs"}},
        projects={
            "/srv/app": {"mcpServers": {"local": {"command": "x"}}, "lastCost": 3},
            "/elsewhere": {"mcpServers": {}},
        },
    )
    seed(account, [Path("/srv/app")], mirror_from=shared)
    found = content(account)
    assert found["mcpServers"] == {"both": {"command": "mine"}, "new": {"command": "theirs"}}
    assert found["projects"] == {
        "/srv/app": {"hasTrustDialogAccepted": True, "mcpServers": {"local": {"command": "x"}}}
    }


def test_identity_is_never_mirrored(account: Path, shared: Path) -> None:
    write(
        shared,
        oauthAccount={"emailAddress": "other@example.test"},
        userID="u",
        customApiKeyResponses={"approved": ["k"]},
    )
    seed(account, [], mirror_from=shared)
    assert not {"oauthAccount", "userID", "customApiKeyResponses"} & set(content(account))


def test_the_users_file_beside_the_default_folder_is_mirrored(
    account: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / ".claude").mkdir()
    write(tmp_path, mcpServers={"s": {"command": "x"}})
    seed(account, [], mirror_from=tmp_path / ".claude")
    assert content(account)["mcpServers"] == {"s": {"command": "x"}}


@pytest.mark.parametrize("text", ["", "{", "[]", "[" * 200_000])
def test_a_broken_file_is_named_and_left_alone(account: Path, text: str) -> None:
    (account / ".claude.json").write_text(text)
    with pytest.raises(HostError, match="backups"):
        seed(account, [])
    assert (account / ".claude.json").read_text() == text


def test_seeding_waits_for_the_binarys_lock(account: Path) -> None:
    lock = account / ".claude.json.lock"
    lock.mkdir()
    done = threading.Event()

    def run() -> None:
        seed(account, [])
        done.set()

    thread = threading.Thread(target=run)
    thread.start()
    assert not done.wait(0.15)
    assert not (account / ".claude.json").exists()
    lock.rmdir()
    wait_for(done.is_set, what="the seeding")
    thread.join()
    assert not lock.exists()


def test_a_lock_whose_holder_is_gone_is_taken_over(account: Path) -> None:
    lock = account / ".claude.json.lock"
    lock.mkdir()
    os.utime(lock, (1, 1))
    assert seed(account, [])
    assert not lock.exists()


def test_a_lock_that_stays_taken_is_named(account: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(seeding, "_PATIENCE", 0.1)
    (account / ".claude.json.lock").mkdir()
    with pytest.raises(HostError, match="is held by a running Claude Code"):
        seed(account, [])
    assert not (account / ".claude.json").exists()


def test_writers_at_the_same_time_lose_nothing(account: Path) -> None:
    folders = [Path(f"/srv/{number}") for number in range(8)]
    threads = [threading.Thread(target=seed, args=(account, [folder])) for folder in folders]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert set(content(account)["projects"]) == {str(folder) for folder in folders}
