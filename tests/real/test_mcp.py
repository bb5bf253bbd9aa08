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
            environ = real_cli.environment(api.url, folder, tmp_path / "home", MCP_TIMEOUT="60000")
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
    told = json.dumps(results[-1])
    assert "account" in told and "five_hour" in told, told
