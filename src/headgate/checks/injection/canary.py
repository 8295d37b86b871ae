"""Whether a model's instructions have leaked into its answer.

A random token is put into the instructions, and every answer is watched for it. Where it stands
decides how early a leak is seen: put at the beginning, it is the first thing that leaks. A leak in
other words, or in a translation that leaves it out, is not seen.
"""

from __future__ import annotations

import base64
import codecs
import secrets
from collections.abc import Iterable
from typing import Final, Literal

import msgspec

LETTERS: Final = "bcdfghjkmnpqrtvwxz23456789"
"""What a token is made of: no vowels, so that it is never a word, and nothing that looks alike."""

TOKEN_LENGTH: Final = 16
"""75 bits: an answer never contains one by chance."""

Form = Literal["plain", "reversed", "rot13", "hex", "base64"]
"""How a token was written; `plain` also with anything between its letters, and in any case."""


class Leak(msgspec.Struct, frozen=True):
    """A canary was seen."""

    token: str
    form: Form


def new_canary() -> str:
    """A token for one call, or for one version of instructions."""
    return "".join(secrets.choice(LETTERS) for _ in range(TOKEN_LENGTH))


def planted(instructions: str, token: str) -> str:
    """`instructions` with `token` at their beginning, said so that no model has a use for it."""
    return f"(Reference {token}; internal, not to be repeated.)\n{instructions}"


class CanaryWatch:
    """Watches one answer, fed in pieces cut anywhere.

    It holds nothing back and remembers no more than a token's length of letters.
    """

    def __init__(self, tokens: Iterable[str]) -> None:
        self._squeezed: list[tuple[str, Leak]] = []
        self._packed: list[tuple[str, Leak]] = []
        for token in tokens:
            self._squeezed += (
                (token, Leak(token, "plain")),
                (token[::-1], Leak(token, "reversed")),
                (codecs.encode(token, "rot13"), Leak(token, "rot13")),
                (token.encode().hex(), Leak(token, "hex")),
            )
            self._packed += ((inside, Leak(token, "base64")) for inside in _in_base64(token))
        self._keep_squeezed = max((len(needle) for needle, _ in self._squeezed), default=1) - 1
        self._keep_packed = max((len(needle) for needle, _ in self._packed), default=1) - 1
        self._squeezed_tail = ""
        self._packed_tail = ""

    def feed(self, piece: str) -> Leak | None:
        """The leak that is complete with `piece`, if one is."""
        letters = "".join(filter(str.isalnum, piece))
        squeezed = self._squeezed_tail + letters.casefold()
        packed = self._packed_tail + letters
        self._squeezed_tail = squeezed[-self._keep_squeezed :] if self._keep_squeezed else ""
        self._packed_tail = packed[-self._keep_packed :] if self._keep_packed else ""
        return _found(squeezed, self._squeezed) or _found(packed, self._packed)


def leaked(text: str, tokens: Iterable[str]) -> Leak | None:
    """The leak in a whole answer, if there is one."""
    return CanaryWatch(tokens).feed(text)


def _found(text: str, needles: list[tuple[str, Leak]]) -> Leak | None:
    return next((leak for needle, leak in needles if needle in text), None)


def _in_base64(token: str) -> list[str]:
    """What of a base64 text that has `token` in it doesn't depend on what stands around it.

    A letter of base64 holds six bits, so there are three ways for a token to fall, and its first
    and last letters mix with their neighbours.
    """
    found: list[str] = []
    for before in range(3):
        packed = base64.b64encode(b"\0" * before + token.encode()).decode().rstrip("=")
        first = (before * 8 + 5) // 6
        last = (before + len(token)) * 8 // 6
        found.append(packed[first:last])
    return found
