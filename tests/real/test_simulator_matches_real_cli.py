"""The simulated CLI does what the real one does: each scene is played on both and compared."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from failover.sim.real_cli import PINNED
from tests.sim.pane import Stage
from tests.sim.scenarios import SCENES, Scene, play

pytestmark = pytest.mark.real


@pytest.fixture(scope="module")
def stages(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Stage, Stage]]:
    with (
        Stage(tmp_path_factory.mktemp("sim")) as simulated,
        Stage(tmp_path_factory.mktemp("real"), real=True) as real,
    ):
        yield simulated, real


@pytest.mark.parametrize("scene", SCENES, ids=lambda scene: scene.__name__)
def test_the_simulator_does_what_the_real_cli_does(scene: Scene, stages: tuple[Stage, Stage]) -> None:
    simulated, real = (play(scene, stage) for stage in stages)
    for part in real:
        assert simulated[part] == real[part], part


def test_the_command_line_answers_alike(stages: tuple[Stage, Stage]) -> None:
    for words in (["--version"], ["--resume", "00000000-0000-4000-8000-000000000000", "hello"]):
        simulated, real = (stage.run("words", *words) for stage in stages)
        assert (simulated.returncode, simulated.stdout.strip()) == (real.returncode, real.stdout.strip())
        assert simulated.stderr.strip() == real.stderr.strip()
    assert PINNED in stages[1].run("words", "--version").stdout
