"""What is taken for a live Claude Code, and where projects are looked for."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from failover.host import process
from failover.takeover import survey
from tests.waiting import wait_for


@pytest.mark.parametrize(
    ("arguments", "is_one"),
    [
        (["claude"], True),
        (["/home/op/.local/bin/claude", "--resume", "x"], True),
        (["node", "/usr/lib/node_modules/@anthropic-ai/claude-code/cli.js"], True),
        (["/usr/bin/node", "/usr/local/bin/claude"], True),
        (["node", "/home/op/claude-code/server.js"], False),
        (["vim", "claude"], False),
        (["claude-failover", "up"], False),
        (["tmux", "new-session", "claude"], False),
        (["bash", "-c", "claude"], False),
    ],
)
def test_what_is_a_binary(arguments: list[str], is_one: bool) -> None:
    assert survey.is_binary(arguments) == is_one


def test_of_a_live_process_its_folders_and_its_program_are_known(tmp_path: Path) -> None:
    binary = Path(shutil.copy("/bin/sleep", tmp_path / "claude"))
    (tmp_path / "afar").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "afar")
    environment = {"CLAUDE_CONFIG_DIR": str(tmp_path / "link"), "ANTHROPIC_API_KEY": "sk-ant-made-up"}
    with subprocess.Popen([binary, "600"], cwd=tmp_path, env=environment) as child:
        try:
            one = process.identify(child.pid)
            assert one is not None
            wait_for(lambda: survey.native(one, process.cmdline(one)) == str(binary), what="its own program")
            assert survey.native(one, ()) == ""
            assert survey.native(one, ["node", "claude"]) == ""
            assert survey.config_dir_of(one, Path("/home/op")) == tmp_path / "afar"
            assert process.cwd(one) == str(tmp_path)
            assert process.is_of_home(one, Path("/home/op")), "it was started without one"
        finally:
            child.kill()
    assert (process.cwd(one), survey.native(one, ["claude"])) == ("", "")
    assert survey.config_dir_of(one, Path("/home/op")) == Path("/home/op/.claude")


def test_what_was_started_with_another_home_is_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    homes, binaries = [tmp_path / name for name in ("op", "else")], []
    for home in homes:
        (home / ".claude-own" / "projects").mkdir(parents=True)
        binaries.append(shutil.copy("/bin/sleep", home / "claude"))
    # The other one's first, and it is not the one that is asked who is logged in.
    other, own = (
        subprocess.Popen([binary, "600"], env={"HOME": str(home), "CLAUDE_CONFIG_DIR": str(home / ".claude-own")})
        for home, binary in zip(reversed(homes), reversed(binaries), strict=True)
    )
    children = [own, other]
    try:
        for child in children:
            wait_for(lambda child=child: (one := process.identify(child.pid)) and process.environ(one).get("HOME"))  # type: ignore[misc]
        seen = survey.survey([], {"HOME": str(homes[0]), "TMUX_TMPDIR": str(tmp_path), "PATH": "/usr/bin:/bin"})
    finally:
        for child in children:
            child.kill()
            child.wait()
    pids = [child.pid for child in children]
    assert ({one.pid for one in seen.loose}, pids[1] in {one.pid for one in seen.foreign}) == ({pids[0]}, True)
    assert [one.path for one in seen.found.dirs] == [str(homes[0] / ".claude-own")]
    assert seen.command == str(binaries[0])


def test_projects_are_looked_for_up_to_a_depth_and_never_through_links(tmp_path: Path) -> None:
    for path in ("a", "a/b/c/d", "a/b/c/d/e", ".hidden", "node_modules/x", "afar"):
        (tmp_path / path / ".agent-queue").mkdir(parents=True, exist_ok=True)
    root = tmp_path / "root"
    root.mkdir()
    (root / "link").symlink_to(tmp_path / "afar")
    (root / "loop").symlink_to(root)
    found, whole = survey.find_projects({tmp_path / "afar", tmp_path / "gone"}, [tmp_path, root, tmp_path / "nowhere"])
    assert found == [tmp_path / path for path in ("a", "a/b/c/d", "afar")]
    assert whole


def test_a_walk_that_is_too_long_is_ended_and_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(survey, "_FOLDERS", 10)
    for number in range(20):
        (tmp_path / f"p{number:02}" / ".agent-queue").mkdir(parents=True)
    found, whole = survey.find_projects(set(), [tmp_path])
    assert (len(found), whole) == (9, False)
