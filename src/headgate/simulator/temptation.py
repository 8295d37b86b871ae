"""The attacks that a gullible model falls for, and what it then does."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import msgspec

GoalKind = Literal["says", "calls", "leaks", "links"]
"""What an attack is after.

`says`: the answer contains a text. `calls`: a tool is called. `leaks`: the instructions are told.
`links`: the answer carries an address that data is sent to.
"""


class TemptationError(ValueError):
    """A file of attacks can't be used; the message names file and line."""


class Goal(msgspec.Struct, frozen=True):
    """What happens where an attack succeeds, as can be seen from outside."""

    kind: GoalKind
    what: str
    """The text, the tool's name, how the instructions are told (`plain`, `reversed`, `base64`,
    `spaced`, `summary`), or how the address is written (`image`, `link`, `bare`, `html`,
    `userinfo`, `punycode`, `reference`)."""


class Temptation(msgspec.Struct, frozen=True):
    """One attack, as far as a gullible model needs to know it; other fields are left alone."""

    id: str
    payload: str
    """The part of the text that gives the instruction, as it is written there."""
    goal: Goal


def read_temptations(path: str) -> tuple[Temptation, ...]:
    """The attacks in a JSONL file, one a line; `TemptationError` where it can't be used."""
    decoder = msgspec.json.Decoder(Temptation)
    try:
        lines = Path(path).read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise TemptationError(f"{path}: cannot be read: {error}") from None
    found: list[Temptation] = []
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            found.append(decoder.decode(line))
        except msgspec.DecodeError as error:
            raise TemptationError(f"{path}:{number}: {error}") from None
    return tuple(found)
