"""A working day on which an operator changes over from the shell scripts, as docs/migrating.md has it, and back.

Six sessions of two accounts run under five scripts and cron. The commands are taken from the page. What is asserted is
read from transcripts, the process table, the panes and the API's log, not from what the daemon says of itself.
"""

from __future__ import annotations

import json
import re
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from failover.host import process
from failover.sim import audit, real_cli
from tests.takeover import page
from tests.takeover.host import DEDICATED, POOL, SESSIONS, OldHost, Seen, Twins, old_host
from tests.waiting import wait_for

#: What systemd does is tested elsewhere (tests/host/test_service.py): a test has no user manager.
LEFT_OUT = {"claude-failover service install", "claude-failover service uninstall"}
#: Commands that say with their exit code that something is not as it should be, and are right to.
FINDS_SOMETHING = {
    "In the morning": {"claude-failover doctor"},
    "At noon": {'claude-failover doctor --only "old scripts"'},
}


@pytest.fixture(params=["simulated", pytest.param("real", marks=pytest.mark.real)])
def host(request: pytest.FixtureRequest) -> Iterator[OldHost]:
    binary: Path | None = real_cli.real_claude() if request.param == "real" else None
    with old_host(binary) as made:
        made.api.control(chunk_delay=0.005)
        made.start()
        yield made


class Day:
    """What was said in each conversation, and how the host looked."""

    def __init__(self, host: OldHost) -> None:
        self.host = host
        self.spoken = 0
        self.conversations = {name: host.look(name).conversation for name in SESSIONS}
        self.said: dict[str, list[str]] = {name: [] for name in SESSIONS}

    def talk(self, *names: str) -> None:
        """Say something new in each session, and have it answered."""
        for name in names or SESSIONS:
            self.spoken += 1
            text = f"words {self.spoken} to {name}"
            self.host.say(name, text)
            self.said[name].append(text)

    def rest(self) -> None:
        """Wait until all sessions are idle."""
        for name in SESSIONS:
            wait_for(lambda name=name: self.host.status(name) == "idle", 60, f"{name} at rest")  # type: ignore[misc]

    def look(self) -> dict[str, Seen]:
        return {name: self.host.look(name) for name in SESSIONS}

    def assert_nothing_lost(self) -> None:
        """Each session is in its conversation of the morning, with all that was said, answered, in order."""
        for name in SESSIONS:
            assert self.host.look(name).conversation == self.conversations[name]
            turns = self.host.turns(self.conversations[name])
            asked = [turn for turn in turns if re.fullmatch(r"words \d+ to [\w-]+", turn)]
            assert asked == self.said[name]
            for text in self.said[name]:
                assert text in turns[turns.index(text) + 1], "an answer"
            # What the model was told last has all of it too.
            request = self.host.api.requests(self.conversations[name])[-1]
            told = [block.get("head", "") for message in request["messages"] for block in message["blocks"]]
            assert [text for text in told if text in asked] == asked

    def follow(self, section: str, *, until: str = "", after: str = "") -> dict[str, str]:
        """Type the commands of a section of the page, from the one after `after` to the one before `until`."""
        answers: dict[str, str] = {}
        lines = page.commands(section)
        first = lines.index(after) + 1 if after else 0
        last = lines.index(until) if until else len(lines)
        for line in lines[first:last]:
            if line not in LEFT_OUT:
                found = line in FINDS_SOMETHING.get(section, ())
                done = self.host.sh(line, code=1 if found else 0)
                answers[line] = done.stdout + done.stderr
        return answers

    def accounts(self) -> dict[str, str]:
        return {name: self.host.account(name) for name in SESSIONS}


MORNING = {**dict.fromkeys(POOL, "main"), **dict.fromkeys(DEDICATED, "backup")}


def test_a_change_over_on_a_working_day_and_back(host: OldHost) -> None:
    day = Day(host)
    day.talk()
    day.talk()
    twins = Twins(host)
    assert host.cron()[0].startswith(f"{host.bin}/watchdog.sh")
    morning(day)
    noon(day, adopted=6)
    afternoon(day)
    way_back(day)
    host.cron("@reboot")  # the checkpoint daemon, which is started again by hand
    # And once more: the store of the first day knows processes that are gone. One session was never started anew.
    noon(day, adopted=5)
    host.sh("claude-failover resume")
    wait_for(
        lambda: set(day.accounts().values()) == {"backup"}, 90, "all to move, since main is still at its threshold"
    )
    day.rest()
    day.talk()
    day.assert_nothing_lost()
    twins.stop()
    assert (twins.seen, twins.looks > 20) == ([], True)
    assert audit.double_processes(host.simulated()) == []
    found = audit.audit(host.api.records())
    assert (found.lost_turns, found.lost_tool_results) == (0, 0), found.losses


def morning(day: Day) -> None:
    """Beside the old scripts: a configuration that fits, and a list of what is in the way."""
    host, before = day.host, day.look()
    answers = day.follow("In the morning")
    told = answers["claude-failover doctor"]
    for number, name in ((3, "watchdog.sh"), (4, "start-dedicated-agents.sh"), (5, "checkpoint-daemon.sh")):
        assert f"your crontab, line {number} starts the old {name}" in told
    assert "checkpoint-daemon.sh runs (process" in told
    config = host.home / ".config" / "claude-failover" / "config.yaml"
    text = config.read_text()
    assert "4 sessions of it run now" in text and "2 sessions of it run now" in text
    # This operator reads it, as the page says, and has a port and a pace of his own.
    text = text.replace("127.0.0.1:7717", "127.0.0.1:0").replace("cooldown: 2m", "cooldown: 1s")
    config.write_text(text)
    assert day.look() == before


def noon(day: Day, *, adopted: int) -> None:
    """The old automat ends, the daemon takes the sessions over, and nobody in a pane notices."""
    host = day.host
    before = day.look()
    adopt = "claude-failover sessions adopt --dry-run"
    link = "claude-failover accounts link"
    answers = day.follow("At noon", until=link)
    told = answers['claude-failover doctor --only "old scripts"']
    assert "crontab" not in told
    kills = re.findall(r"(?m)^\s+(kill (\d+))$", told)
    assert len(kills) == 1 and str(host.home) in Path(f"/proc/{kills[0][1]}/cmdline").read_text(), told
    host.sh(kills[0][0])
    wait_for(lambda: "✗" not in host.sh('claude-failover doctor --only "old scripts"', code=None).stdout, 20, "no more")
    assert host.cron() == [f"date >{host.home}/.last-minute"], "what is not of the crew goes on"
    told = day.follow("At noon", after='claude-failover doctor --only "old scripts"', until=adopt)[link]
    assert "merge by hand" not in told
    answers = day.follow("At noon", after="claude-failover pause")
    assert f"would adopt {adopted} sessions" in answers[adopt]
    assert f"adopted {adopted} sessions" in answers["claude-failover sessions adopt"]
    assert day.look() == before, "a process, a pane or what stands in it is another"
    listed = json.loads(host.sh("claude-failover sessions list --json").stdout)
    assert {one["name"]: one["account"] for one in listed} == MORNING
    day.talk()
    day.assert_nothing_lost()


def afternoon(day: Day) -> None:
    """One session moves at a word, tells what is used from then on, and the daemon moves the rest when it must."""
    host, before = day.host, day.look()
    restart, there, back = (
        "claude-failover sessions restart ccl-0",
        "claude-failover swap --to backup --session ccl-0",
        "claude-failover swap --to main --session ccl-0",
    )
    day.follow("In the afternoon", until=f"{there} --dry-run")
    assert day.accounts() == MORNING and host.look("ccl-0").one != before["ccl-0"].one, restart
    day.talk("ccl-0")
    day.follow("In the afternoon", after=restart, until=back)
    assert day.accounts() == {**MORNING, "ccl-0": "backup"}
    day.talk("ccl-0")
    day.follow("In the afternoon", after=there)
    assert day.accounts() == MORNING
    day.talk("ccl-0")
    assert {**day.look(), "ccl-0": before["ccl-0"]} == before, "the others were not touched"
    host.api.account("main", u5=0.93)
    day.talk("ccl-0")
    wait_for(lambda: set(day.accounts().values()) == {"backup"}, 90, "all to move")
    day.rest()
    after = day.look()
    for name in POOL:
        assert after[name].pane == before[name].pane, "attached people stay attached"
        assert after[name].one != before[name].one
        words = process.cmdline(after[name].one)
        assert "--dangerously-skip-permissions" in words and "--settings" in words
    assert {name: after[name] for name in DEDICATED} == {name: before[name] for name in DEDICATED}
    wait_for(lambda: " open " not in host.sh("claude-failover swaps").stdout, 60, "the swap's end")
    day.talk()
    day.assert_nothing_lost()
    assert "✗" not in day.follow("In the evening")["claude-failover doctor"]


def way_back(day: Day) -> None:
    """The daemon ends, the sessions go on, and the scripts do with them what they always did."""
    host, before = day.host, day.look()
    day.follow("The way back")
    host.sh("echo backup >~/.agents/account")
    assert day.look() == before, "the sessions go on as they are"
    day.talk()
    assert host.cron()[0].startswith(f"{host.bin}/watchdog.sh")
    assert {name: seen.one for name, seen in day.look().items()} == {name: seen.one for name, seen in before.items()}
    # What ends is started again by the watchdog: a pane that is closed, a binary that is gone.
    closed, gone, dedicated = (before[name].one for name in ("ccl-1", "ccl-2", "ccl-auto-11"))
    host.sh("tmux kill-session -t =ccl-1: && tmux kill-session -t =ccl-auto-11:")
    process.send_signal(gone, signal.SIGTERM)
    for one in (closed, gone, dedicated):
        wait_for(lambda one=one: not process.alive(one), 20, f"process {one.pid} to end")  # type: ignore[misc]
    wait_for(lambda: not {"ccl-1", "ccl-2", "ccl-auto-11"} & set(host.tmux.panes()), 20, "their tmux sessions to go")
    host.cron()
    day.rest()
    assert set(day.accounts().values()) == {"backup"}
    day.talk()
    # And they are switched as gracefully as ever.
    host.sh("~/bin/graceful-switch.sh main")
    day.rest()
    assert day.accounts() == MORNING
    for name in POOL:
        assert "--settings" not in process.cmdline(host.look(name).one)
    day.talk()
    day.assert_nothing_lost()
    told = host.sh('claude-failover doctor --only "old scripts"', code=1).stdout
    assert "line 3 starts the old watchdog.sh" in told


def test_the_page_has_no_command_that_is_not_run() -> None:
    followed = ("In the morning", "At noon", "In the afternoon", "In the evening", "The way back")
    lines = [line for section in followed for line in page.commands(section)]
    everything = re.findall(r"^    (\S.*)$", page.PAGE.read_text(), re.MULTILINE)
    assert len(lines) == len(everything)
    assert set(lines) >= LEFT_OUT
