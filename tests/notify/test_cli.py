"""`claude-failover notify` says how each sink is, and tries it."""

from __future__ import annotations

from pathlib import Path

from tests.cli.run import cli
from tests.notify.office import SECRET, Office, lines, pause, settle
from tests.notify.receivers import web


def test_list_shows_how_far_each_sink_came(tmp_path: Path) -> None:
    with web() as hook:
        office = Office(
            tmp_path,
            f"{{kind: file, path: {tmp_path / 'f'}}}",
            f"{{kind: webhook, url: '{hook.url}', secret: {SECRET}}}",
        )
        notifier = office.start()
        hook.status, hook.body = 503, b"later"
        event = office.emit(pause("a"), pause("b"))
        settle(notifier)
    office.file.write_text(office.file.read_text() + f"  - {{kind: file, name: new, path: {tmp_path / 'n'}}}\n")
    said = cli(office.file, "notify", "list")
    assert said.code == 0 and said.out.splitlines()[0].split() == [
        "sink", "kind", "state", "waiting", "told", "ago", "next", "try", "last", "error"
    ]  # fmt: skip
    file, broken, new = cli(office.file, "notify", "list", "--json").json
    assert (file["state"], file["waiting"], file["told"], file["next_try"]) == ("ok", 0, event, None)
    assert (broken["state"], broken["waiting"], broken["failures"]) == ("failing", 2, 1)
    assert "answered 503" in broken["error"] and broken["next_try"] >= 0
    assert (new["state"], new["told"]) == ("new", 0)


def test_test_sends_a_notice_and_says_what_was_answered(tmp_path: Path) -> None:
    with web() as hook:
        office = Office(
            tmp_path,
            f"{{kind: file, path: {tmp_path / 'f'}}}",
            f"{{kind: webhook, url: '{hook.url}', secret: {SECRET}}}",
        )
        done = cli(office.file, "notify", "test")
        assert done.code == 0 and done.out == f"file: written to {tmp_path / 'f'}\nwebhook: answered 200\n"
        assert hook.json[0]["type"] == lines(tmp_path / "f")[0]["type"] == "test"
        hook.status, hook.body = 401, f"not {SECRET}".encode()
        failed = cli(office.file, "notify", "test", "webhook", "--json")
    assert failed.code == 1 and failed.err == "claude-failover: not reached: webhook\n"
    assert failed.json[0]["ok"] is False and failed.json[0]["said"].endswith(
        "answered 401 Unauthorized: not [redacted]"
    )
    unknown = cli(office.file, "notify", "test", "nobody")
    assert unknown.code == 2 and "there is no sink nobody; sinks: file, webhook" in unknown.err


def test_without_sinks_it_says_where_they_belong(tmp_path: Path) -> None:
    office = Office(tmp_path)
    assert "add one under notify:" in cli(office.file, "notify", "list").out
    assert cli(office.file, "notify", "test").code == 2


def test_config_check_warns_of_a_secret_that_is_not_there(tmp_path: Path) -> None:
    office = Office(tmp_path, "{kind: webhook, url: 'https://x/', secret_file: nothing}")
    said = cli(office.file, "config", "check")
    assert (
        said.code == 0 and f"warning: notify webhook: {tmp_path / 'nothing'}: cannot be read (No such file" in said.out
    )
