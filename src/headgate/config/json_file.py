"""A JSON file that remembers on which line each value stands, so that an error can point at it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import msgspec

from headgate.errors import ConfigError

_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[{}\[\],:]|[^\s{}\[\],:"]+')
_DEPTH_AT_MOST = 200
_AT_BYTE = re.compile(r"\(byte (\d+)\)")


class JsonFile:
    """A parsed JSON document."""

    def __init__(self, path: Path, content: bytes) -> None:
        self.path = path
        try:
            self.data: Any = msgspec.json.decode(content)
            text = content.decode()
        except msgspec.DecodeError as error:
            found = _AT_BYTE.search(str(error))
            line = content.count(b"\n", 0, int(found[1])) + 1 if found else 1
            raise ConfigError(f"{path}:{line}: not valid JSON: {error}") from None
        except UnicodeDecodeError:
            raise ConfigError(f"{path}: is not UTF-8 text") from None
        except RecursionError:
            raise ConfigError(f"{path}:1: is nested too deeply") from None
        self._lines = _lines(text)
        # Whoever walks through it calls itself at each step.
        if deep := next((s for s in self._lines if len(s) > _DEPTH_AT_MOST), None):
            raise ConfigError(f"{path}:{self._lines[deep]}: is nested too deeply")

    def line_of(self, steps: tuple[str | int, ...]) -> int:
        """The 1-based line of the value at `steps`, or of its nearest parent that exists."""
        for length in range(len(steps), -1, -1):
            if (line := self._lines.get(steps[:length])) is not None:
                return line
        return 1

    def problem(self, message: str, steps: tuple[str | int, ...] = ()) -> str:
        """`file:line: field: message` for the value at `steps`."""
        name = dotted(steps)
        return f"{self.path}:{self.line_of(steps)}: {f'{name}: ' if name else ''}{message}"


def dotted(steps: tuple[str | int, ...] | list[str | int]) -> str:
    """`("a", 0, "b")` as `a[0].b`."""
    return "".join(f"[{s}]" if isinstance(s, int) else f".{s}" for s in steps).lstrip(".")


def _lines(text: str) -> dict[tuple[str | int, ...], int]:
    """Path of each value → its line, by one walk over the tokens of valid JSON."""
    lines: dict[tuple[str | int, ...], int] = {(): 1}
    path: list[str | int] = []
    in_object: list[bool] = []
    key_expected = False
    line, seen = 1, 0
    for token in _TOKEN.finditer(text):
        line += text.count("\n", seen, token.start())
        seen = token.start()
        word = token[0]
        if word in "}]":
            in_object.pop()
            path.pop()
            key_expected = False
        elif word == ",":
            if in_object[-1]:
                key_expected = True
            elif isinstance(path[-1], int):
                path[-1] += 1
        elif word == ":":
            key_expected = False
        elif key_expected:
            path[-1] = msgspec.json.decode(word.encode(), type=str)
            lines[tuple(path)] = line
        else:
            lines.setdefault(tuple(path), line)
            if word in "{[":
                in_object.append(word == "{")
                path.append("" if word == "{" else 0)
                key_expected = word == "{"
    return lines
