"""The configuration says what is wrong, where, and how to mend it."""

from __future__ import annotations

import contextlib
import json
import os
import re
import tempfile
import typing
from pathlib import Path

import msgspec
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from failover import config_daemon, config_model
from failover.config import Config, find, load
from failover.core.prompt import Templates
from failover.errors import ConfigError, UsageError
from failover.notify.spec import Secret, SinkSpec

ROOT = Path(__file__).parent.parent
LEAST = "version: 1\naccounts:\n  - {name: main, config_dir: ~/.claude-main}\n"
KEY = LEAST + "  - {name: k, config_dir: k, kind: api_key, env_file: e, "


def write(folder: Path, text: str | bytes) -> Path:
    path = folder / "config.yaml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    path.chmod(0o600)
    return path


def read(folder: Path, text: str) -> Config:
    return load(write(folder, text), {"HOME": "/home/dev", "PLACE": "/srv/place"})


def refused(folder: Path, text: str | bytes) -> ConfigError:
    with pytest.raises(ConfigError) as caught:
        load(write(folder, text), {"HOME": "/home/dev"})
    assert str(folder / "config.yaml") in str(caught.value)
    assert caught.value.mend
    assert "\n" not in str(caught.value)
    return caught.value


def test_the_least_file_gets_every_default(tmp_path: Path) -> None:
    config = read(tmp_path, LEAST)
    assert config.shared_dir == Path("/home/dev/.claude")
    assert config.state_dir == Path("/home/dev/.local/state/claude-failover")
    assert config.account("main").thresholds == config_model.Thresholds(90.0, 95.0)
    assert config.failover.cooldown == 120.0
    assert config.failover.max_parallel == os.cpu_count()
    assert config.paths.store == config.state_dir / "state.db"


def test_the_example_holds_every_key_and_states_the_true_defaults(tmp_path: Path) -> None:
    text = (ROOT / "config.example.yaml").read_text()
    example, least = read(tmp_path, text), read(tmp_path, LEAST)
    for section in ("thresholds", "failover", "usage", "http", "tmux", "notify", "dispatch", "retention",
                    "janitor", "claude", "log",
                    "state_dir", "shared_dir", "replay", "sessions_restart", "macos"):  # fmt: skip
        assert getattr(example, section) == getattr(least, section), section

    raw = yaml.safe_load(text)
    parts = {
        config_model.Config: raw, config_model.Claude: raw["claude"],
        config_model.Account: {key: 1 for account in raw["accounts"] for key in account},
        config_model.Thresholds: raw["thresholds"], config_model.Failover: raw["failover"],
        config_model.Deadline: raw["failover"]["deadline"], config_daemon.Http: raw["http"],
        config_model.Usage: raw["usage"],
        config_daemon.Tmux: raw["tmux"], config_daemon.Dispatch: raw["dispatch"],
        config_daemon.Retention: raw["retention"], config_daemon.Janitor: raw["janitor"],
        Templates: raw["replay"], config_daemon.Log: raw["log"],
        config_model.SessionSpec: {key: 1 for session in raw["sessions"] for key in session},
    }  # fmt: skip
    named = {**vars(config_model), **vars(config_daemon)}.values()
    structs = {value for value in named if isinstance(value, type(msgspec.Struct))}
    assert structs == {*parts, SinkSpec, config_daemon.Limit, config_daemon.Tls}, (
        "a new part of the configuration is missing here"
    )
    for struct, section in parts.items():
        assert set(struct.__struct_fields__) - {"file"} == set(section), struct.__name__


def test_a_session_may_serve_further_projects_and_a_project_may_have_a_limit(tmp_path: Path) -> None:
    projects = "projects: [~/a, ~/b, ~/c]\n"
    sessions = (
        "sessions: [{name: x, project: ~/a, serves: all}, {name: y, project: ~/a, serves: [~/b]},"
        " {name: z, project: ~/c}]\n"
    )
    limits = "dispatch: {per_project: 2, limits: [{project: ~/b, at_once: 1}]}\n"
    config = read(tmp_path, LEAST + projects + sessions + limits)
    assert [one.serves for one in config.sessions] == [config.projects, config.projects[1:2], ()]
    assert (config.dispatch.per_project, config.dispatch.limits) == (2, (config_daemon.Limit(Path("/home/dev/b"), 1),))
    for wrong in (sessions.replace("[~/b]", "[~/d]"), limits.replace("~/b", "~/d"), limits.replace("2,", "0,")):
        refused(tmp_path, LEAST + projects + wrong)
    twice = "dispatch: {limits: [{project: ~/b, at_once: 1}, {project: ~/b, at_once: 2}]}\n"
    assert "there twice" in str(refused(tmp_path, LEAST + projects + twice))


def test_every_key_of_the_example_says_why() -> None:
    text = re.sub(r"(: >-.*)\n(    .*\n)+", r"\1\n", (ROOT / "config.example.yaml").read_text())
    lines = [line for line in text.splitlines() if line.strip()]
    opened = {"failover:", "http:", "tmux:"}
    assert [line for line in lines if "#" not in line and line not in opened] == []


def test_the_words_of_the_replay_are_the_operators_and_each_placeholder_must_exist(tmp_path: Path) -> None:
    config = read(
        tmp_path, LEAST + "replay: {task: 'Still {task}/{attempt} {{so}}: {file}'}\nsessions_restart: never\n"
    )
    assert config.replay.task == "Still {task}/{attempt} {{so}}: {file}" and config.replay.moved.startswith("This")
    assert config.sessions_restart == "never"
    error = refused(tmp_path, LEAST + "replay:\n  moved: 'On you go.'\n  restored: 'Cut off: {wat}'\n")
    assert (error.line, error.key) == (LEAST.count("\n") + 3, "replay.restored")
    assert "{wat}" in str(error) and "{what}" in error.mend
    for wrong in ("{}", "{0}", "{what!r}", "{what:>9}", "{what.x}", "{what", "what}", " ", "x" * 2001, "{was}"):
        refused(tmp_path, LEAST + f"replay: {{restored: {json.dumps(wrong)}}}\n")
    refused(tmp_path, LEAST + "replay: {other: x}\n")
    refused(tmp_path, LEAST + "sessions_restart: yes\n")


def test_a_named_models_week_has_the_threshold_of_the_week_unless_it_is_given(tmp_path: Path) -> None:
    text = LEAST.replace("main}", "main, thresholds: {seven_day: 80}}")
    config = read(tmp_path, text + "thresholds: {models: {opus: 70}}\nfailover: {models: [opus, sonnet]}")
    assert config.account("main").thresholds.of(config.failover.models) == {
        "five_hour": 90.0, "seven_day": 80.0, "seven_day_opus": 70.0, "seven_day_sonnet": 80.0,
    }  # fmt: skip
    assert set(config.thresholds.of(())) == {"five_hour", "seven_day"}


def test_ranges_become_sessions_in_order(tmp_path: Path) -> None:
    config = read(tmp_path, LEAST + 'sessions: [{name: "ccl-{8..11}", project: $PLACE/app, account: main}]')
    assert [session.name for session in config.sessions] == ["ccl-8", "ccl-9", "ccl-10", "ccl-11"]
    assert {session.project for session in config.sessions} == {Path("/srv/place/app")}
    assert config.session("ccl-9").account == "main"


def test_paths_expand_home_and_variables_and_start_at_the_file(tmp_path: Path) -> None:
    config = read(tmp_path, LEAST + "projects: [~/a, $PLACE/b, '${PLACE}x', c/../d]")
    assert config.projects == (Path("/home/dev/a"), Path("/srv/place/b"), Path("/srv/placex"), tmp_path / "d")


def test_the_operators_command_is_found_from_the_files_folder_and_most_is_never_under_least(tmp_path: Path) -> None:
    config = read(tmp_path, LEAST + "usage: {command: [./usage, --json], least: 2h}")
    assert config.usage.command == (str(tmp_path / "usage"), "--json")
    assert (config.usage.least, config.usage.most) == (7200, 7200)
    assert read(tmp_path, LEAST + "usage: {command: [usage]}").usage.command == ("usage",)


def test_an_accounts_thresholds_override_only_the_given_windows(tmp_path: Path) -> None:
    text = LEAST.replace("main}", "main, thresholds: {five_hour: 80}}") + "thresholds: {seven_day: 70}"
    assert read(tmp_path, text).account("main").thresholds == config_model.Thresholds(80.0, 70.0)


def test_an_account_that_is_paid_by_use_has_its_cap_for_a_window(tmp_path: Path) -> None:
    config = read(tmp_path, KEY + "paid: last_resort, cap_usd_per_day: 7.5}")
    key = config.account("k")
    assert (key.env_file, key.paid, key.cap_usd_per_day) == (tmp_path / "e", "last_resort", 7.5)
    assert (key.is_paid, key.limits(["opus"])) == (True, {"spend": 90.0})
    assert set(config.account("main").limits(["opus"])) == {"five_hour", "seven_day", "seven_day_opus"}
    assert read(tmp_path, KEY + "}").account("k").limits([]) == {}, "nothing is counted without a cap"


def test_the_first_account_is_preferred_unless_a_priority_is_given(tmp_path: Path) -> None:
    config = read(tmp_path, LEAST + "  - {name: b, config_dir: b}\n  - {name: c, config_dir: c, priority: 0}\n")
    assert [account.priority for account in config.accounts] == [1, 2, 0]


@pytest.mark.parametrize(
    ("text", "line", "key", "words"),
    [
        (LEAST + "failovr: {}", 4, "failovr", "did you mean failover?"),
        (LEAST + "usage: {least: 1m}", 4, "usage.least", "answers 429 for long"),
        (LEAST + "usage: {least: 2h, most: 1h}", 4, "usage.most", "is shorter than least"),
        (LEAST + "usage: {every: 5s}", 4, "usage.every", "write 10s or more"),
        (LEAST + "usage: {command: ['']}", 4, "usage.command", "names no program"),
        (LEAST + "usage: {command: ls -l}", 4, "usage.command", "a list belongs here"),
        (LEAST + "failover: {cooldwn: 1m}", 4, "failover.cooldwn", "did you mean cooldown?"),
        (LEAST + "version: 1", 4, "version", "a second time (first in line 1)"),
        (LEAST.replace("main,", "no,"), 3, "accounts[0].name", 'put it in quotes: "no"'),
        (LEAST.replace("main,", "12,"), 3, "accounts[0].name", "reads 12 as a number"),
        (LEAST.replace("main,", "2026-01-01,"), 3, "accounts[0].name", "date"),
        (LEAST.replace("main,", "-rf,"), 3, "accounts[0].name", "is no name"),
        (LEAST.replace("main,", "../x,"), 3, "accounts[0].name", "is no name"),
        (LEAST.replace("main,", f"{'n' * 65},"), 3, "accounts[0].name", "is no name"),
        (LEAST.replace("main,", '"a\\e[31m",'), 3, "accounts[0].name", "control character"),
        (LEAST + "  - {name: main, config_dir: x}", 4, "accounts[1].name", "is taken"),
        (LEAST + "  - {name: b, config_dir: ~/x/../.claude-main}", 4, "accounts[1].config_dir", "account main"),
        (LEAST + "  - {name: b, config_dir: ~/.claude}", 4, "accounts[1].config_dir", "shared_dir"),
        (LEAST + "  - {name: b}", 4, "accounts[1]", "config_dir is missing"),
        (LEAST.replace("main}", "main, enabled: false}"), 3, "accounts", "no account is enabled"),
        ("version: 1\naccounts: []", 2, "accounts", "no account is enabled"),
        ("version: 1", 1, "", "accounts is missing"),
        (LEAST.replace("version: 1", "version: 2"), 1, "version", "from 1 to 1"),
        ("- a", 1, "", "a mapping belongs here, not a list"),
        (LEAST + "sessions: [{name: a, project: x, account: mian}]", 4, "sessions[0].account", "did you mean main?"),
        (LEAST + 'sessions: [{name: "a-{1..2}", project: x}, {name: a-2, project: x}]', 4, "sessions[1].name", "twice"),
        (LEAST + 'sessions: [{name: "a-{5..2}", project: x}]', 4, "sessions[0].name", "range"),
        (LEAST + 'sessions: [{name: "a-{0..9999}", project: x}]', 4, "sessions[0].name", "range"),
        (LEAST + "sessions: [{name: a.b, project: x}]", 4, "sessions[0].name", "tmux allows no ."),
        (LEAST + "projects: [$NOWHERE/x]", 4, "projects[0]", "variable NOWHERE is not set"),
        (LEAST + "projects: [~other/x]", 4, "projects[0]", "another user's home"),
        (LEAST + "projects: [a, ./a]", 4, "projects[1]", "twice"),
        (LEAST + "shared_dir: ~", 4, "shared_dir", "not nothing"),
        (LEAST + "thresholds: {five_hour: 0}", 4, "thresholds.five_hour", "no percentage"),
        (LEAST + "thresholds: {five_hour: 101}", 4, "thresholds.five_hour", "no percentage"),
        (LEAST + "thresholds: {five_hour: .nan}", 4, "thresholds.five_hour", "no percentage"),
        (LEAST + "failover: {cooldown: 90}", 4, "failover.cooldown", "such as 90s"),
        (LEAST + "failover: {cooldown: 10 minutes}", 4, "failover.cooldown", "is no duration"),
        (LEAST + "dispatch: {submit_timeout: 0s}", 4, "dispatch.submit_timeout", "may not be zero"),
        (LEAST + "retention: {events: 9999999d}", 4, "retention.events", "ten years"),
        (LEAST + "janitor: {every: 10s}", 4, "janitor.every", "write 1m or more"),
        (LEAST + "janitor: {backup_every: 5m}", 4, "janitor.backup_every", "write 10m or more, or 0 for no backups"),
        (LEAST + "janitor: {orphans: kill}", 4, "janitor.orphans", "leave"),
        (LEAST + "janitor: {backups: 0}", 4, "janitor.backups", "1"),
        (LEAST + "failover: {deadline: {soft: 10s, hard: 10s}}", 4, "failover.deadline", "not shorter"),
        (
            LEAST + "failover: {strategy: cheapest}",
            4,
            "failover.strategy",
            "what exists: priority, most_headroom, soon",
        ),
        (LEAST + "failover: {models: [Opus 5]}", 4, "failover.models[0]", "no name of a model's weekly window"),
        (LEAST + "thresholds: {models: {opus: 80}}", 4, "thresholds", "add it: failover.models: [opus]"),
        (LEAST.replace("main}", "main, reserve: 100}"), 3, "accounts[0].reserve", "leaves nothing"),
        (LEAST.replace("main}", "main, kind: tokn}"), 3, "accounts[0].kind", "did you mean token?"),
        (LEAST.replace("main}", "main, kind: token}"), 3, "accounts[0].kind", "token needs an env_file"),
        (LEAST.replace("main}", "main, env_file: x}"), 3, "accounts[0].env_file", "logs in inside its config_dir"),
        (LEAST.replace("main}", "main, paid: last_resort}"), 3, "accounts[0].paid", "is not paid by use"),
        (LEAST.replace("main}", "main, cap_usd_per_day: 5}"), 3, "accounts[0].cap_usd_per_day", "is not paid by use"),
        (KEY + "paid: last_resort}", 4, "accounts[1].paid", "needs a cap"),
        (KEY + "cap_usd_per_day: 0}", 4, "accounts[1].cap_usd_per_day", "no amount above 0"),
        (KEY + "cap_usd_per_day: .inf}", 4, "accounts[1].cap_usd_per_day", "no amount above 0"),
        (KEY + "}\n  - {name: l, config_dir: l, kind: token, env_file: e}", 5, "accounts[2].env_file", "account above"),
        (LEAST + "failover: {idle_sessions: later}", 4, "failover.idle_sessions", "what exists: move, lazy, leave"),
        (LEAST + "failover: {max_parallel: many}", 4, "failover.max_parallel", "no whole number"),
        (LEAST + "failover: {max_parallel: 010}", 4, "failover.max_parallel", "no whole number"),
        (LEAST + "log: {level: loud}", 4, "log.level", "what exists: debug, info, warning, error"),
        (LEAST + 'http: {listen: "example.org:80"}', 4, "http.listen", "no loopback address"),
        (LEAST + 'http: {listen: "0.0.0.0:7717"}', 4, "http.listen", "add http.tls: {cert: FILE, key: FILE}"),
        (LEAST + 'http: {listen: "0.0.0.0:7717", tls: {cert: c, key: k}}', 4, "http.listen", "add http.hosts: [NAME]"),
        (LEAST + "http: {tls: {cert: c}}", 4, "http.tls", "the key key is missing"),
        (LEAST + "http: {listen: none, tls: {cert: c, key: k}}", 4, "http.tls", "is for a TCP address"),
        (LEAST + 'http: {hosts: ["a.example:80"]}', 4, "http.hosts[0]", "without a port"),
        (LEAST + "http: {listen: 127.0.0.1}", 4, "http.listen", "no port"),
        (LEAST + "claude: {env: {ANTHROPIC_API_KEY: x}}", 4, "claude.env.ANTHROPIC_API_KEY", "all accounts one"),
        (LEAST + "claude: {env: {A B: x}}", 4, "claude.env.A B", "no name"),
        (LEAST + "claude: {env: {A: 1}}", 4, "claude.env.A", "quotes"),
        (LEAST + 'claude: {command: ""}', 4, "claude.command", "is empty"),
        (LEAST + "projects: &a [x]", 4, "", "alias or anchor"),
        (LEAST + "projects: *a", 4, "", "alias or anchor"),
        (LEAST + "projects: !!python/object:os.system [x]", 4, "", "a tag"),
        (LEAST + "<<: {a: 1}", 4, "", "special value"),
        (LEAST + "projects: " + "[" * 10_000, 4, "", "nested more than"),
        (LEAST + "projects:\n" + "- " * 10_000, 5, "", "nested more than"),
        (LEAST + "sessions: [{name: a-{0..9}, project: x}]", 4, "", "no valid YAML"),
        (LEAST + "projects: [", 4, "", "no valid YAML"),
        (LEAST + "---\na: 1", 0, "", "no valid YAML"),
        (LEAST + "projects: [a\x00b]", 4, "", "unprintable"),
        (LEAST.encode() + b"projects: [\xff]", 4, "", "UTF-8"),
        ("", 0, "", "is empty"),
        ("#" * (1024 * 1024 + 1), 0, "", "larger than"),
    ],
)
def test_a_wrong_file_is_refused_by_line_and_key(
    tmp_path: Path, text: str | bytes, line: int, key: str, words: str
) -> None:
    error = refused(tmp_path, text)
    assert words in str(error)
    assert error.key == key
    assert not line or error.line == line


def test_an_alias_bomb_is_refused_before_it_unfolds(tmp_path: Path) -> None:
    bomb = "a: &a [x,x]\n" + "".join(f"b{n}: &b{n} [*a,*a]\n" for n in range(50))
    assert "alias or anchor" in str(refused(tmp_path, bomb))


def test_a_link_to_the_shared_dir_is_the_shared_dir(tmp_path: Path) -> None:
    (tmp_path / "shared").mkdir()
    (tmp_path / "link").symlink_to("shared")
    text = "version: 1\nshared_dir: shared\naccounts: [{name: a, config_dir: link}]"
    assert "the same folder as that of shared_dir" in str(refused(tmp_path, text))


def test_a_file_that_others_can_write_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path, LEAST)
    path.chmod(0o620)
    with pytest.raises(ConfigError, match="chmod go-w"):
        load(path, {"HOME": "/home/dev"})


@pytest.mark.parametrize("kind", ["fifo", "folder", "missing", "device"])
def test_what_is_no_regular_file_is_refused_at_once(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "config.yaml"
    if kind == "fifo":
        os.mkfifo(path, 0o600)
    elif kind == "folder":
        path.mkdir()
    elif kind == "device":
        path = Path("/dev/zero")
    with pytest.raises(ConfigError, match=r"cannot be read|no regular file|larger|other users"):
        load(path, {"HOME": "/home/dev"})


def test_the_file_is_found_by_variable_then_here_then_at_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    home = tmp_path / ".config" / "claude-failover"
    environ = {"HOME": str(tmp_path)}
    with pytest.raises(UsageError, match=r"no configuration.*config\.example\.yaml"):
        find(environ)
    home.mkdir(parents=True)
    (home / "config.yaml").touch()
    assert find(environ) == home / "config.yaml"
    (tmp_path / "config.yaml").touch()
    assert find(environ) == Path("config.yaml")
    assert find({**environ, "FAILOVER_CONFIG": "/else/where.yaml"}) == Path("/else/where.yaml")


def test_names_that_do_not_exist_are_answered_with_the_nearest(tmp_path: Path) -> None:
    config = read(tmp_path, LEAST + "sessions: [{name: ccl-0, project: x}]")
    with pytest.raises(UsageError, match="did you mean main"):
        config.account("mian")
    with pytest.raises(UsageError, match="did you mean ccl-0"):
        config.session("ccl-1")


def documented() -> dict[str, str]:
    """Return key → default of the tables in docs/configuration.md."""
    rows = re.findall(
        r"^\| `([a-z_.\[\]]+)` \| (.*?) \|", (ROOT / "docs" / "configuration.md").read_text(), flags=re.MULTILINE
    )
    return {key: default.strip() for key, default in rows}


def keys_of(struct: type[msgspec.Struct], prefix: str = "") -> set[str]:
    """Return the dotted keys of a part of the configuration, down to those that have no parts."""
    found: set[str] = set()
    hints = typing.get_type_hints(struct)
    for field in struct.__struct_fields__:
        hint, key = hints[field], prefix + field
        parts = [one for one in (hint, *typing.get_args(hint)) if isinstance(one, type(msgspec.Struct))]
        if field == "file":
            continue
        if field == "settings":  # those of the kinds of sink, each with `kind`
            for part in parts:
                for name, one in typing.get_type_hints(part).items():
                    secret = Secret in (one, *typing.get_args(one))
                    found |= {prefix + name, *([f"{prefix}{name}_env", f"{prefix}{name}_file"] if secret else [])}
            found.add(f"{prefix}kind")
            continue
        listed = typing.get_origin(hint) is tuple and parts
        if listed:
            found |= {key} | keys_of(parts[0], f"{key}[].")
        elif parts and not prefix.endswith("[]."):
            found |= keys_of(parts[0], f"{key}.")
        else:
            found.add(key)
    return found


def test_the_reference_lists_exactly_the_keys_that_exist() -> None:
    assert set(documented()) == keys_of(Config)


def test_the_reference_states_the_true_defaults(tmp_path: Path) -> None:
    least = read(tmp_path, LEAST)
    stated = {key: default[1:-1] for key, default in documented().items() if re.fullmatch(r"`.+`", default)}
    assert len(stated) > 20
    for key, default in stated.items():
        if "[]" not in key and key not in ("failover.deadline.soft", "failover.deadline.hard"):
            head, _, tail = key.partition(".")
            value = f'"{default}"' if key == "http.listen" else default
            assert read(tmp_path, LEAST + f"{head}: " + (f"{{{tail}: {value}}}" if tail else value)) == least, key
    deadline = f"{{soft: {stated['failover.deadline.soft']}, hard: {stated['failover.deadline.hard']}}}"
    assert read(tmp_path, LEAST + f"failover: {{deadline: {deadline}}}") == least


PIECES = st.sampled_from(
    ["version: 1\n", "accounts:", "sessions:", "failover: ", "- ", "? ", ": ", "{", "}", "[", "]", ",", "&a ", "*a",
     "!!x ", "\n", "\n  ", "|\n", ">", "'", '"', "#", "---\n", "...", "~", "no", "1e999", "0x1F", "<<: ", "name: ",
     "{0..9}", "\t", "%YAML 9.9\n", "\x85", "\ufeff", "é", "=", "@", "`"]
)  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(st.lists(PIECES, max_size=40).map("".join) | st.text(max_size=200))
def test_whatever_the_file_holds_the_answer_is_a_configuration_or_a_config_error(text: str) -> None:
    for tail in ("", LEAST):
        with contextlib.suppress(ConfigError), tempfile.TemporaryDirectory() as folder:
            load(write(Path(folder), (tail + text).encode("utf-8", "surrogatepass")), {"HOME": "/home/dev"})
