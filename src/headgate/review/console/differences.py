"""What an edit changed, word by word, so that the page shows it and its reader decides on it."""

from __future__ import annotations

import difflib
import re
from typing import Literal

import msgspec

_WORDS = re.compile(r"\s+|\w+|[^\w\s]")
_MOST_WORDS = 6_000
"""Of each side; beyond it lines are compared, since words would take seconds."""


class Piece(msgspec.Struct, frozen=True):
    """A stretch of text that stayed, came or went."""

    kind: Literal["same", "added", "removed"]
    text: str


def differences(before: str, after: str) -> list[Piece]:
    """The pieces that, read in order without the added ones, are `before`; else `after`."""
    left, right = _WORDS.findall(before), _WORDS.findall(after)
    if max(len(left), len(right)) > _MOST_WORDS:
        left, right = before.splitlines(keepends=True), after.splitlines(keepends=True)
    pieces: list[Piece] = []
    matcher = difflib.SequenceMatcher(None, left, right, autojunk=len(left) > _MOST_WORDS)
    for kind, i1, i2, j1, j2 in matcher.get_opcodes():
        if kind == "equal":
            pieces.append(Piece("same", "".join(left[i1:i2])))
            continue
        if i1 < i2:
            pieces.append(Piece("removed", "".join(left[i1:i2])))
        if j1 < j2:
            pieces.append(Piece("added", "".join(right[j1:j2])))
    return pieces
