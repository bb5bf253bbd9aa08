"""Write requirements.lock and requirements-dev.lock: what scripts/setup installs, with the hashes of the files.

    .venv/bin/python scripts/lock.py

The newest pip resolves for each Python and platform below (a dry run: metadata is fetched, nothing is installed). pip
reads the conditions of dependencies for the Python that it runs on, so what others need beyond that is found here and
asked for.
A file that was built elsewhere, or of a platform that is not below, has another hash: then scripts/setup says so and
installs without the lock.
"""

from __future__ import annotations

import atexit
import json
import shutil
import subprocess
import sys
import tempfile
import tomllib
import venv
from collections import defaultdict
from functools import cache
from pathlib import Path
from typing import Any

from pip._vendor.packaging.markers import default_environment
from pip._vendor.packaging.requirements import Requirement
from pip._vendor.packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[1]
PYTHONS = ("3.11", "3.12", "3.13", "3.14")
PLATFORMS: dict[tuple[str, str], tuple[str, ...]] = {
    **{
        ("linux", machine): (
            *(f"manylinux_2_{minor}_{machine}" for minor in range(39, 16, -1)), f"manylinux2014_{machine}",
            *(f"manylinux_2_{minor}_{machine}" for minor in range(16, 4, -1)), f"linux_{machine}",
        )
        for machine in ("x86_64", "aarch64")
    },
    ("darwin", "arm64"): (
        *(f"macosx_{major}_0_{build}" for major in range(15, 10, -1) for build in ("arm64", "universal2")),
        *(f"macosx_10_{minor}_universal2" for minor in range(16, 8, -1)),
    ),
}  # fmt: skip
Target = tuple[str, str]  # Python, sys_platform
Found = dict[str, tuple[str, str]]  # name → version, sha256
Needs = dict[tuple[str, str], list[Requirement]]  # name, extra → what it needs

_HEAD = """# Written by scripts/lock.py; see CONTRIBUTING.md. {what}
# Python {pythons}; Linux on x86-64 and ARM, macOS on ARM.
"""


def main() -> None:
    """Resolve for all targets and write both files."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    runtime = [*project["dependencies"], *(one for name, those in extras.items() if name != "dev" for one in those)]
    pins: dict[str, str] = {}
    everywhere: set[str] = set()
    found: dict[Target, dict[str, Found]] = defaultdict(dict)
    for python in PYTHONS:
        for (system, machine), platforms in PLATFORMS.items():
            print(f"{python} {system} {machine}", file=sys.stderr)
            those, needs = resolve([*runtime, *extras["dev"]], pins, python, system, machine, platforms)
            for name, (version, _) in those.items():
                pins.setdefault(name, version)
            found[python, system][machine] = those
            everywhere |= closure(runtime, needs)
    write("requirements.lock", "The package and its extras.", found, everywhere, inside=True)
    write("requirements-dev.lock", "Beyond requirements.lock: the tests.", found, everywhere, inside=False)


def resolve(
    wanted: list[str], pins: dict[str, str], python: str, system: str, machine: str, platforms: tuple[str, ...]
) -> tuple[Found, Needs]:
    """Return what pip would install for a target, and what each of that needs there. Ends the program when pip finds
    nothing that fits."""
    environment = {
        **default_environment(), "python_version": python, "python_full_version": f"{python}.0", "sys_platform": system,
        "platform_system": system.capitalize(), "platform_machine": machine,
    }  # fmt: skip
    roots = list(wanted)
    while True:
        report = pip(roots, pins, python, platforms)
        those: Found = {}
        needs: Needs = defaultdict(list)
        for item in report["install"]:
            name = canonicalize_name(item["metadata"]["name"])
            sha = item["download_info"]["archive_info"]["hashes"]["sha256"]
            those[name] = (item["metadata"]["version"], sha)
            for need in map(Requirement, item["metadata"].get("requires_dist", ())):
                for extra in ("", *item["metadata"].get("provides_extra", ())):
                    if need.marker is None or need.marker.evaluate({**environment, "extra": extra}):
                        needs[name, extra].append(need)
        more = closure(roots, needs) - those.keys()
        if not more:
            return those, needs
        roots += sorted(more)


def closure(roots: list[str], needs: Needs) -> set[str]:
    """Return the names of all that is needed by some requirements."""
    open_, seen = [Requirement(root) for root in roots], set[tuple[str, str]]()
    while open_:
        one = open_.pop()
        for key in {(canonicalize_name(one.name), extra) for extra in ("", *one.extras)} - seen:
            seen.add(key)
            open_ += needs.get(key, ())
    return {name for name, _ in seen}


@cache
def newest_pip() -> Path:
    """Return a pip that needs no whole files to read their metadata."""
    folder = Path(tempfile.mkdtemp(prefix="cf-pip-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    venv.create(folder, with_pip=True)
    subprocess.run([folder / "bin" / "pip", "install", "--quiet", "--upgrade", "pip"], check=True)
    return folder / "bin" / "pip"


def pip(roots: list[str], pins: dict[str, str], python: str, platforms: tuple[str, ...]) -> dict[str, Any]:
    """Return pip's report of a dry run."""
    with tempfile.TemporaryDirectory() as folder:
        wanted, fixed = Path(folder, "wanted"), Path(folder, "fixed")
        wanted.write_text("\n".join(roots))
        fixed.write_text("\n".join(f"{name}=={version}" for name, version in pins.items()))
        command = [
            str(newest_pip()), "install", "--quiet", "--dry-run", "--ignore-installed", "--report", "-",
            "--only-binary=:all:", "--target", folder, "--python-version", python, "--implementation", "cp",
            *(word for platform in platforms for word in ("--platform", platform)), "-r", str(wanted), "-c", str(fixed),
        ]  # fmt: skip
        done = subprocess.run(command, capture_output=True, text=True, timeout=1200)
    if done.returncode:
        sys.exit(f"scripts/lock.py: Python {python}, {platforms[0]}: {done.stderr.strip()}")
    report: dict[str, Any] = json.loads(done.stdout)
    return report


def write(file: str, what: str, found: dict[Target, dict[str, Found]], everywhere: set[str], *, inside: bool) -> None:
    """Write the names that are, or are not, in `everywhere`, each with the hashes of all targets."""
    lines = [_HEAD.format(what=what, pythons=", ".join(PYTHONS))]
    versions: dict[str, dict[str, set[Target]]] = defaultdict(lambda: defaultdict(set))
    hashes: dict[tuple[str, str], set[str]] = defaultdict(set)
    for target, machines in found.items():
        for those in machines.values():
            for name, (version, sha) in those.items():
                versions[name][version].add(target)
                hashes[name, version].add(sha)
    for name in sorted(versions):
        if (name in everywhere) != inside:
            continue
        for version, targets in versions[name].items():
            marks = [
                f"(python_version == '{python}' and sys_platform == '{system}')" for python, system in sorted(targets)
            ]
            marker = "" if len(targets) == len(found) else f" ; {' or '.join(marks)}"
            lines.append(
                f"{name}=={version}{marker}"
                + "".join(f" \\\n    --hash=sha256:{sha}" for sha in sorted(hashes[name, version]))
            )
    (ROOT / file).write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
