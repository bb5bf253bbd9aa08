"""What the real binary says of each kind of account, and that the simulated one says the same."""

from __future__ import annotations

from pathlib import Path

import pytest

from failover.claude import auth
from failover.claude.auth import AuthStatus
from failover.claude.kinds import KindName, Login, objection
from failover.sim import real_cli

pytestmark = pytest.mark.real

FILES: dict[KindName, str] = {
    "subscription": "",
    "token": "CLAUDE_CODE_OAUTH_TOKEN=sk-ant-oat01-sim.t.g0\n",
    "api_key": "ANTHROPIC_API_KEY=sk-ant-api03-sim.k.g0\n",
    "bedrock": "AWS_REGION=eu-west-1\nAWS_BEARER_TOKEN_BEDROCK=made-up\n",
    "vertex": "CLOUD_ML_REGION=europe-west1\nANTHROPIC_VERTEX_PROJECT_ID=p\nCLAUDE_CODE_SKIP_VERTEX_AUTH=1\n",
}


def asked(folder: Path, kind: KindName, *, real: bool) -> AuthStatus:
    command = real_cli.real_claude() if real else real_cli.sim_claude(folder / "bin")
    where = real_cli.config_dir(folder / ("real" if real else "simulated"), "main", real=real)
    file = folder / "account.env"
    file.write_text(FILES[kind])
    file.chmod(0o600)
    login = Login(kind, file if FILES[kind] else None)
    env = {**real_cli.api_environment("http://127.0.0.1:9"), "HOME": str(folder)}
    found = auth.status(str(command), where, env, login)
    assert objection(login, found.auth_method, found.provider) == ""
    return found


@pytest.mark.parametrize("kind", FILES)
def test_each_kind_is_known_by_its_method_also_where_a_login_lies_in_the_config_dir(
    tmp_path: Path, kind: KindName
) -> None:
    simulated, real = (asked(tmp_path, kind, real=real) for real in (False, True))
    assert real.logged_in
    told = [
        (one.logged_in, one.auth_method, one.provider, one.identity, one.login_expires_at) for one in (simulated, real)
    ]
    assert told[0] == told[1]
    assert (real.identity is None) == (kind != "subscription")
