"""Which sessions work for which projects, and in which project each is now."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from failover.config import Config
from failover.store.sessions import Placement


class Serving:
    """What the configuration says of sessions and projects. A project is named as `projects` writes it.

    projects: those that a session works for, by session; one that works for none is not in it.
    """

    def __init__(self, config: Config) -> None:
        self._names = {project.resolve(): str(project) for project in config.projects}
        self._at = {str(project): str(project) for project in config.projects}
        self._home = {spec.name: self.at(str(spec.project)) for spec in config.sessions}
        made: dict[int, frozenset[str]] = {}  # sessions of one entry, or of `all`, share a set
        self.projects: dict[str, frozenset[str]] = {}
        for spec in config.sessions:
            further = made.setdefault(id(spec.serves), frozenset(str(project) for project in spec.serves))
            home = self._home[spec.name]
            if own := further if not home or home in further else further | {home}:
                self.projects[spec.name] = own

    def at(self, folder: str) -> str:
        """Return the project whose folder this is, empty when it is none's."""
        if folder not in self._at:
            self._at[folder] = self._names.get(Path(folder).resolve(), "")
        return self._at[folder]

    def whereabouts(self, placed: Mapping[str, Placement]) -> dict[str, list[str]]:
        """Return the sessions of each project: those that are in its folder, or at home there while they are nowhere
        else."""
        found: dict[str, list[str]] = {}
        for session in sorted(self.projects):
            there = self.at(placed[session].cwd) if session in placed else ""
            found.setdefault(there or self._home[session], []).append(session)
        return found
