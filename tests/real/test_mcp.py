"""The real CLI starts our MCP server, calls a tool of it, and hands the answer on to the model."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from failover.config import load
from failover.sim import history, real_cli
from failover.sim.api import Api
from tests.http.plane import ROOT, plane

pytestmark = pytest.mark.real


def test_a_tool_call_of_the_model_comes_back_with_the_state_of_the_pool(tmp_path: Path) -> None:
    api = Api(tmp_path / "api.jsonl")
    api.start()
    try:
        with plane() as control:
            history.remember(load(control.file), control.store)
            program = ["-c", "from failover.cli import main; main()", "mcp"]
            server = {"command": sys.executable, "args": program,
                      "env": {"PYTHONPATH": str(ROOT), "FAILOVER_CONFIG": str(control.file)}}  # fmt: skip
            file = tmp_path / "mcp.json"
            file.write_text(json.dumps({"mcpServers": {"failover": server}}))
            folder = real_cli.config_dir(tmp_path / "main", "main", [tmp_path], real=True)
            # The model of the fake API calls only what its first request offers: the CLI is to wait for the server, and
            # not to keep its tools back until they are searched for.
            offered = {"MCP_TIMEOUT": "60000", "MCP_CONNECTION_NONBLOCKING": "false", "ENABLE_TOOL_SEARCH": "false"}
            environ = real_cli.environment(api.url, folder, tmp_path / "home", **offered)
            done = subprocess.run(
                [real_cli.real_claude(), "-p", "MARK_TOOL{mcp__failover__status|{}}", "--mcp-config", str(file),
                 "--strict-mcp-config", "--allowedTools", "mcp__failover__status"],
                env=environ, cwd=tmp_path, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120,
            )  # fmt: skip
            assert done.returncode == 0, done.stdout + done.stderr
        results = [
            block
            for record in api.records()
            for message in record.get("messages", [])
            for block in message["blocks"]
            if block["type"] == "tool_result"
        ]
    finally:
        api.stop()
    assert results, "the tool was called"
    assert results[-1]["error"] is False
    # The CLI hands the structured answer on, as JSON; the API's log keeps its beginning.
    assert results[-1]["text"].startswith('{"sentence":"1 of 9 roles run; 2 sessions (2 working)"'), results[-1]
