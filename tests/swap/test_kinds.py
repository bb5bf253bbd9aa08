"""Sessions move from a subscription to a token and to an API key and back; what stands in env files is seen nowhere."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from failover.sim import real_cli
from failover.sim.world import World
from tests.swap.actors import assert_nothing_lost, requests, rest, say, started, work

#: Made up; the fake API knows the account by what stands between the dots.
TOKEN = "sk-ant-oat01-sim.tok.canary-of-the-token"
KEY = "sk-ant-api03-sim.key.canary-of-the-key"
CANARIES = ("canary-of-the-token", "canary-of-the-key")


@contextmanager
def pool(binary: Path | None, cap: float = 20.0) -> Iterator[World]:
    """Give a pool on a subscription `a`, with an account `t` that has a token, and `k` that has a key.

    Each of the two has a login in its config dir besides, which must not be used.
    """
    settings = {"cooldown": "1s", "fail_back": False}
    with World(real=binary, accounts=("a", "t", "k"), sessions={"one": "app", "two": "app"}, failover=settings) as made:
        made.api.control(chunk_delay=0.01)
        config = json.loads(made.config_file.read_text())
        for account, name, value in (
            (config["accounts"][1], "CLAUDE_CODE_OAUTH_TOKEN", TOKEN),
            (config["accounts"][2], "ANTHROPIC_API_KEY", KEY),
        ):
            file = made.root / f"{account['name']}.env"
            file.write_text(f"# made up\nexport {name}='{value}'\r\n")
            file.chmod(0o600)
            account |= {"kind": "token" if account["name"] == "t" else "api_key", "env_file": str(file)}
        config["accounts"][2] |= {"paid": "last_resort", "cap_usd_per_day": cap}
        made.config_file.write_text(json.dumps(config))
        yield made


@pytest.fixture(params=["simulated", pytest.param("real", marks=pytest.mark.real)])
def binary(request: pytest.FixtureRequest) -> Path | None:
    return real_cli.real_claude() if request.param == "real" else None


class Watch:
    """Looks at all command lines of the host, again and again, for the canaries."""

    def __init__(self) -> None:
        self.seen: list[list[str]] = []
        self.looks = 0
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)
        self._thread.start()

    def _look(self) -> None:
        while not self._over.wait(0.02):
            self.looks += 1
            for process in psutil.process_iter(["cmdline"]):
                words = process.info["cmdline"] or []
                if any(canary in word for word in words for canary in CANARIES):
                    self.seen.append(words)

    def end(self) -> None:
        self._over.set()
        self._thread.join(10)


def environment(world: World, name: str) -> str:
    return Path(f"/proc/{world.placement(name).pid}/environ").read_text(errors="replace")


def files_with_a_canary(world: World) -> list[Path]:
    found = []
    for path in world.root.rglob("*"):
        if path.is_file() and not path.is_symlink() and path.suffix != ".env":
            content = path.read_bytes()
            found += [path for canary in CANARIES if canary.encode() in content]
    return found


def swap_to(world: World, account: str, asked_as: str) -> None:
    """Move both sessions while one works, and see as whom each asks from then on."""
    task = f"under-{asked_as}-{len(requests(world, 'one'))}"
    world.type("one", work(world, task, 1, 1))
    world.wait(lambda: started(world, task, 1), "work")
    world.cli("swap", "--to", account)
    rest(world, "one", "two")
    say(world, "one", "two")
    for name in ("one", "two"):
        assert world.placement(name).account == account
        assert requests(world, name)[-1]["account"] == asked_as
    assert "ANTHROPIC_API_KEY" not in environment(world, "one")


def test_sessions_go_to_a_token_and_to_a_key_and_home_and_no_secret_is_seen(binary: Path | None) -> None:
    watch = Watch()
    with pool(binary) as world:
        world.up()
        world.launch(account="a")
        say(world, "one", "two")
        swap_to(world, "t", "tok")
        assert TOKEN in environment(world, "one")
        assert {row["account"] for row in world.query("SELECT account FROM readings")} >= {"a", "t"}, (
            "a token has windows"
        )
        swap_to(world, "k", "key")
        assert CANARIES[1] not in environment(world, "one")
        swap_to(world, "a", "a")
        assert_nothing_lost(world)

        questions = ("accounts check", "accounts check --json", "accounts list --json", "config check", "status --json",
                     "events --limit 10000 --json", "usage --json", "swaps --json")  # fmt: skip
        answers = [world.cli(*question.split(), check=False) for question in questions]
        methods = {one["name"]: (one["method"], one["problems"]) for one in json.loads(answers[1].stdout)}
        assert methods == {"a": ("claude.ai", []), "t": ("oauth_token", []), "k": ("api_key_helper", [])}
        told = "".join(answer.stdout + answer.stderr for answer in answers)
        told += "".join(world.tmux.capture(pane.pane_id) for pane in world.tmux.panes().values())
        watch.end()
        assert [canary for canary in CANARIES if canary in told] == []
        assert (watch.seen, watch.looks > 20) == ([], True)
        assert files_with_a_canary(world) == []
        assert [path.name for path in world.root.glob("*.env") if path.read_text()], "the search could have found it"


def test_what_sessions_cost_under_a_key_counts_towards_its_cap_and_they_leave_it(binary: Path | None) -> None:
    """An answer costs 0.0012 dollars. What the conversation had cost before, elsewhere, does not count."""
    with pool(binary, cap=0.01) as world:
        world.up()
        world.launch(account="a")
        say(world, "one", "two")
        say(world, "one", "two")

        def counted() -> list[float]:
            return [float(row["total"]) for row in world.query("SELECT total FROM charged")]

        world.wait(lambda: counted() == pytest.approx([0.0024, 0.0024]), "the cost on a to be told")
        world.cli("swap", "--to", "k")
        rest(world, "one", "two")

        def used() -> float:
            rows = world.query("SELECT used, source FROM readings WHERE account = 'k' AND window = 'spend' ORDER BY id")
            assert {row["source"] for row in rows} <= {"cost"}
            return float(rows[-1]["used"]) if rows else -1.0

        world.wait(lambda: used() == 0.0, "nothing spent yet")
        say(world, "one")
        world.wait(lambda: used() == pytest.approx(12.0), "one answer of 0.0012 on a cap of 0.01 dollars")
        # A person put them there, so they stay until the cap is near, although another account has room.
        for expected in (36.0, 60.0, 84.0):
            say(world, "one", "two")
            world.wait(lambda expected=expected: used() == pytest.approx(expected), f"{expected} % spent")  # type: ignore[misc]
        assert {world.placement(name).account for name in ("one", "two")} == {"k"}
        say(world, "one", "two")
        world.wait(lambda: {world.placement(name).account for name in ("one", "two")} == {"a"}, "both back on a", 60)
        reason = world.query("SELECT reason FROM swaps ORDER BY id DESC LIMIT 1")[0]["reason"]
        assert "of its spend window (threshold 90 %)" in reason
        rest(world, "one", "two")
        done = world.cli("swap", "--to", "k", check=False)
        assert (done.returncode, "of its spend window" in done.stderr) == (3, True)
        assert_nothing_lost(world)


def test_an_env_file_that_others_can_read_starts_nothing_and_is_named() -> None:
    with pool(None) as world:
        world.up()
        world.launch(account="a")
        (world.root / "t.env").chmod(0o644)
        done = world.cli("swap", "--to", "t", check=False)
        assert done.returncode != 0
        assert "t.env: is open to others; close it with: chmod 600" in done.stdout + done.stderr
        assert {world.placement(name).account for name in ("one", "two")} == {"a"}
        done = world.cli("config", "check", check=False)
        assert (done.returncode, "chmod 600" in done.stderr) == (2, True)
        (world.root / "t.env").write_text(f"CLAUDE_CODE_OAUTH_TOKEN={TOKEN}\nPATH=/tmp\n")
        (world.root / "t.env").chmod(0o600)
        done = world.cli("accounts", "check", "t", check=False)
        assert done.returncode == 1
        assert "t.env: line 2" in done.stdout and TOKEN not in done.stdout


def test_a_disabled_account_is_not_chosen_until_it_is_enabled_and_a_restart_changes_nothing() -> None:
    with World(accounts=("a", "b", "c"), sessions={"one": "app"}, failover={"fail_back": False}) as world:
        world.api.control(chunk_delay=0.01)
        world.up()
        world.launch(account="a")
        said = world.cli("accounts", "disable", "b", "--for", "2h").stdout
        assert "b is disabled" in said
        assert "1 session stays on it" in world.cli("accounts", "disable", "a").stdout
        world.cli("down")
        world.up()
        assert world.cli("swap", "--to", "b", check=False).returncode == 3
        listed = {one["name"]: one for one in json.loads(world.cli("accounts", "list", "--json").stdout)}
        assert [listed[name]["enabled"] for name in "abc"] == [False, False, True]
        assert listed["b"]["disabled_until_ms"] and listed["a"]["disabled_until_ms"] is None
        assert "b is disabled by" in world.cli("accounts", "list").stdout
        assert world.placement("one").account == "a", "it moves nothing by itself"
        world.api.account("a", u5=0.93)
        say(world, "one")
        world.wait(lambda: world.placement("one").account == "c", "the only one enabled", 60)
        rest(world, "one")
        world.cli("accounts", "enable", "b")
        world.cli("accounts", "enable", "a")
        assert "could take sessions" in world.cli("accounts", "list").stdout
