"""YAML with its line numbers kept, and every error as one sentence that names file, line, key and mend."""

from __future__ import annotations

import math
import os
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import NoReturn

import yaml

from failover.errors import ConfigError

_MAX_DEPTH = 12
_STR, _INT, _FLOAT, _BOOL, _NULL = (f"tag:yaml.org,2002:{kind}" for kind in ("str", "int", "float", "bool", "null"))
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_DURATION = re.compile(r"(\d+(?:\.\d+)?)([smhd])")
_UNITS = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_VARIABLE = re.compile(r"\$(?:\{(\w+)\}|(\w+))")


class _Loader(yaml.SafeLoader):
    """Compose nodes, without what a configuration has no use for: aliases, anchors, tags, deep nesting."""

    depth = 0

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        event = self.peek_event()  # type: ignore[no-untyped-call]
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            _stop(event, "an alias or anchor (& or *) stands here", "write the value out, or put it in quotes")
        if getattr(event, "tag", None):
            _stop(event, f"a tag ({event.tag}) stands here", "leave it out, or put the value in quotes")
        self.depth += 1
        if self.depth > _MAX_DEPTH:
            _stop(event, f"nested more than {_MAX_DEPTH} deep", "flatten it; no key needs more than five")
        node = super().compose_node(parent, index)
        self.depth -= 1
        return node


class _Stop(Exception):
    def __init__(self, line: int, problem: str, mend: str) -> None:
        super().__init__(problem)
        self.line, self.problem, self.mend = line, problem, mend


def _stop(event: yaml.Event, problem: str, mend: str) -> NoReturn:
    raise _Stop(event.start_mark.line + 1 if event.start_mark else 0, problem, mend)


def seconds_in(text: str) -> float | None:
    """Return the seconds of a duration such as 90s, 10m, 5h or 2d, None when it is none."""
    match = _DURATION.fullmatch(text)
    return float(match[1]) * _UNITS[match[2]] if match else None


def duration_text(seconds: float) -> str:
    """Return how a duration is written: in the largest unit that needs no fraction, and 0 without one."""
    unit = next((one for one in "dhm" if seconds >= _UNITS[one] and seconds % _UNITS[one] == 0), "s")
    return f"{seconds / _UNITS[unit]:g}{unit}" if seconds else "0"


def parse(path: Path, text: str, environ: Mapping[str, str]) -> Value:
    """Return the root of the document in `text`. Raises ConfigError for what is no plain YAML."""
    try:
        node = yaml.compose(text, Loader=_Loader)
    except _Stop as stop:
        raise ConfigError(str(path), stop.line, "", stop.problem, stop.mend) from None
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 0
        problem = f"no valid YAML: {error.problem or error.context}"
        raise ConfigError(
            str(path), line, "", problem,
            "mend the indentation or the brackets there; text with : # { } needs quotes",
        ) from None  # fmt: skip
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, int(error.position)) + 1
        raise ConfigError(str(path), line, "", "an unprintable character stands here", "remove it") from None
    if node is None:
        raise ConfigError(str(path), 0, "", "is empty", "start from config.example.yaml")
    return Value(path, node, "", environ)


class Value:
    """One place in the document. Each method returns it as what it should be, or raises ConfigError."""

    def __init__(self, file: Path, node: yaml.Node, key: str, environ: Mapping[str, str]) -> None:
        self.file, self.key, self._node, self._environ = file, key, node, environ

    def fail(self, problem: str, mend: str) -> NoReturn:
        """Raise ConfigError for this place."""
        raise ConfigError(str(self.file), self._node.start_mark.line + 1, self.key, problem, mend)

    def fields(self, known: Sequence[str], required: Sequence[str] = ()) -> dict[str, Value]:
        """Return the values of a mapping whose keys are all in `known`, each once."""
        found = self.mapping()
        for key, value in found.items():
            if key not in known:
                value.fail(f"is no key that exists{suggestion(key, known)}", f"use one of: {', '.join(known)}")
        for key in required:
            if key not in found:
                self.fail(f"the key {key} is missing", f"add it here: {key}: …")
        return found

    def mapping(self) -> dict[str, Value]:
        """Return a mapping with any keys, each a string and there once."""
        if not isinstance(self._node, yaml.MappingNode):
            self.fail(f"a mapping belongs here, not {self._kind()}", "write it as key: value")
        found: dict[str, Value] = {}
        for key_node, value_node in self._node.value:
            name = Value(self.file, key_node, self.key, self._environ).text()
            value = Value(self.file, value_node, f"{self.key}.{name}" if self.key else name, self._environ)
            if name in found:
                line = found[name]._node.start_mark.line + 1
                Value(self.file, key_node, value.key, self._environ).fail(
                    f"stands here a second time (first in line {line})", "keep one of the two"
                )
            found[name] = value
        return found

    def items(self) -> list[Value]:
        """Return the entries of a list."""
        if not isinstance(self._node, yaml.SequenceNode):
            self.fail(f"a list belongs here, not {self._kind()}", "write it as [a, b], or one '- entry' per line")
        nodes = enumerate(self._node.value)
        return [Value(self.file, node, f"{self.key}[{index}]", self._environ) for index, node in nodes]

    def text(self) -> str:
        """Return a string; a YAML boolean, number or null (no, 1, ~) is refused, never guessed at."""
        if not isinstance(self._node, yaml.ScalarNode) or self._node.tag == _NULL:
            self.fail(f"a text belongs here, not {self._kind()}", "write one, in quotes if it has special characters")
        text = str(self._node.value)
        if self._node.tag != _STR:
            self.fail(f"YAML reads {text} as {self._kind()}, and a text belongs here", f'put it in quotes: "{text}"')
        if any(ord(character) < 32 or ord(character) == 127 for character in text):
            self.fail("has a line break or control character in it", "remove it")
        return text

    def name(self, text: str | None = None) -> str:
        """Return a name: 1 to 64 of A-Z a-z 0-9 . _ -, beginning with a letter or digit."""
        text = self.text() if text is None else text
        if not is_name(text):
            self.fail(f"{text!r} is no name", "use 1 to 64 of A-Z a-z 0-9 . _ -, beginning with a letter or digit")
        return text

    def choice(self, options: Sequence[str]) -> str:
        """Return one of `options`."""
        text = self.text()
        if text not in options:
            self.fail(f"{text!r} does not exist{suggestion(text, options)}", f"what exists: {', '.join(options)}")
        return text

    def is_text(self, text: str) -> bool:
        """Tell whether this is the word `text`."""
        return isinstance(self._node, yaml.ScalarNode) and self._node.value == text

    def boolean(self) -> bool:
        """Return true or false."""
        if self._node.tag != _BOOL:
            self.fail(f"true or false belongs here, not {self._kind()}", "write true or false, without quotes")
        return str(self._node.value).lower() in ("true", "yes", "on")

    def integer(self, low: int, high: int) -> int:
        """Return a whole number from `low` to `high`."""
        text = str(self._node.value)
        if self._node.tag != _INT or not re.fullmatch(r"-?(0|[1-9]\d{0,15})", text) or not low <= int(text) <= high:
            self.fail(f"{self._shown()} is no whole number from {low} to {high}", "write one, without quotes")
        return int(text)

    def percent(self, *, zero: bool) -> float:
        """Return a percentage up to 100; 0 itself only if `zero`."""
        text = str(self._node.value)
        low = "from 0" if zero else "above 0 and up"
        number = float(text) if self._node.tag in (_INT, _FLOAT) and re.fullmatch(r"\d+(\.\d+)?", text) else math.nan
        if not (0 <= number <= 100 and (number > 0 or zero)):
            self.fail(f"{self._shown()} is no percentage {low} to 100", "write a number such as 90")
        return number

    def amount(self) -> float:
        """Return an amount of money above 0, up to a million."""
        text = str(self._node.value)
        number = float(text) if self._node.tag in (_INT, _FLOAT) and re.fullmatch(r"\d+(\.\d+)?", text) else math.nan
        if not 0 < number <= 1_000_000:
            self.fail(f"{self._shown()} is no amount above 0", "write a number such as 20 or 7.5")
        return number

    def duration(self, *, zero: bool = False) -> float:
        """Return seconds. The unit is required (s, m, h or d), so that nobody has to guess it; a bare 0 is clear."""
        text = str(self._node.value) if isinstance(self._node, yaml.ScalarNode) else ""
        seconds = 0.0 if text == "0" and zero else seconds_in(text)
        if seconds is None:
            self.fail(f"{self._shown()} is no duration", "write a number and a unit, such as 90s, 10m, 5h or 2d")
        if seconds == 0 and not zero:
            self.fail("may not be zero", "write a duration such as 90s")
        if seconds > 3650 * 86400:
            self.fail(f"{text} is longer than ten years", "write a shorter duration")
        return seconds

    def path(self) -> Path:
        """Return an absolute path: ~ and $VARIABLES expanded, relative to the configuration file's own folder."""
        text = self.text()
        if not text:
            self.fail("the path is empty", "name one")

        def expand(match: re.Match[str]) -> str:
            variable = match[1] or match[2]
            if not self._environ.get(variable):
                self.fail(f"the environment variable {variable} is not set", "set it, or write the path out")
            return self._environ[variable]

        home = self._environ.get("HOME") or os.path.expanduser("~")  # noqa: PTH111  (HOME may be unset)
        if text == "~" or text.startswith("~/"):
            text = home + text[1:]
        elif text.startswith("~"):
            self.fail(f"{text!r}: another user's home is not looked up", "write the path out, or begin it with ~/")
        text = _VARIABLE.sub(expand, text)
        return Path(os.path.normpath(self.file.absolute().parent / text))

    def _shown(self) -> str:
        return repr(str(self._node.value)) if isinstance(self._node, yaml.ScalarNode) else self._kind()

    def _kind(self) -> str:
        if isinstance(self._node, yaml.MappingNode):
            return "a mapping"
        if isinstance(self._node, yaml.SequenceNode):
            return "a list"
        kinds = {_NULL: "nothing", _BOOL: "a boolean", _INT: "a number", _FLOAT: "a number", _STR: "a text"}
        return kinds.get(self._node.tag, "a date or other special value")


def is_name(text: str) -> bool:
    """Tell whether `text` may be the name of an account, a session or a launch."""
    return _NAME.fullmatch(text) is not None


def suggestion(word: str, known: Iterable[str]) -> str:
    """Return ' (did you mean X?)' when something known is near, else nothing."""
    import difflib  # only for what is wrong

    near = difflib.get_close_matches(word, list(known), n=1, cutoff=0.6)
    return f" (did you mean {near[0]}?)" if near else ""
