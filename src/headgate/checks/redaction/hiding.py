"""Hides what was found in a text, each kind in its way. Pure; the key of hashes is handed in."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Callable, Sequence
from collections.abc import Mapping as Map
from typing import Any

from headgate.checks.detection import Engine, Finding, without_overlaps
from headgate.checks.detection.across import replaced, replaced_across, with_across
from headgate.checks.detection.plain_text import read
from headgate.checks.redaction.known import Known
from headgate.checks.redaction.mapping import Mapping
from headgate.checks.redaction.stand_in import stand_in_for
from headgate.config.guards import RedactMode

_SHOWN = 4
"""Letters or digits at a value's end that a mask leaves to be seen, if it has twice as many."""

_HASH_LETTERS = 12


class Hidden:
    """What was hidden in the texts of one call."""

    __slots__ = ("blocked", "counts", "stands_for")

    def __init__(self) -> None:
        self.stands_for: dict[tuple[str, str], str] = {}
        """By kind and value, what stands there now. It gives everything away: it is not kept."""
        self.counts: dict[str, int] = {}
        """How many values of which kind."""
        self.blocked: set[str] = set()
        """The kinds whose mode is `block`."""

    def count(self, kind: str) -> None:
        """Note a value."""
        self.counts[kind] = self.counts.get(kind, 0) + 1


class Hiding:
    """Hides values, by the mode of their kind."""

    def __init__(
        self, engine: Engine, mode: RedactMode, modes: Map[str, RedactMode], *, key: bytes
    ) -> None:
        """`key` is secret: who has it can tell which value a hash is of."""
        self._engine = engine
        self._mode: RedactMode = mode
        self._modes = modes
        self._key = key
        said = {mode, *modes.values()}
        self.hides_for_good = bool(said - {"placeholder", "stand_in"})
        """Whether any kind's values never come back."""

    def mode_of(self, kind: str) -> RedactMode:
        """What is done with values of `kind`."""
        return self._modes.get(kind, self._mode)

    def find(self, text: str) -> list[Finding]:
        """What stands in `text`."""
        return self._engine.find(text)

    def hide(self, text: str, mapping: Mapping, hidden: Hidden, *, in_json: bool = False) -> str:
        """`text` with what was found in it hidden. Raises `TooManyValuesError`.

        In JSON the strings and whole numbers of it are looked at as they read, not as they are
        written, and beside the names of their fields: `{"password": "…"}`.
        """
        if not in_json:
            return self._in_text(text, mapping, hidden)
        try:
            value = json.loads(text)
        except (ValueError, RecursionError):
            return self._in_text(text, mapping, hidden)
        beside_names = Known(
            {json_value(text[one.start : one.end]): one.kind for one in self._engine.find(text)}
        )
        replace = self._hider(mapping, hidden)

        def change(one: str) -> str:
            found = [*self._engine.find(one), *beside_names.find(one)]
            return self.replaced(one, without_overlaps(found), replace)

        return in_json_text(text, value, change)

    def hide_again(
        self,
        texts: Sequence[str],
        known: Known,
        stands: Map[tuple[str, str], str],
        hidden: Hidden,
        *,
        in_json: bool = False,
    ) -> list[str]:
        """The pieces of one text with what `stands` for values in the place of those `known`."""

        def replace(kind: str, value: str) -> str:
            told = stands.get((kind, value)) or stands.get((kind, read(value)))
            if told is None:
                return value  # disguised otherwise than where it was found
            hidden.count(kind)
            return told

        if in_json:
            try:
                value = json.loads(texts[0])
            except (ValueError, RecursionError):
                pass
            else:

                def change(text: str) -> str:
                    return self.replaced(text, known.find(text), replace)

                return [in_json_text(texts[0], value, change)]
        return replaced_across(texts, with_across(texts, known.find), replace)

    def hide_across(self, texts: Sequence[str], mapping: Mapping, hidden: Hidden) -> list[str]:
        """The pieces of one text, with what was found in them and across them hidden.

        What stands for a value stands where it begins. Raises as `hide` does.
        """
        return self.replaced_across(texts, self._hider(mapping, hidden))

    def replaced_across(
        self, texts: Sequence[str], replace: Callable[[str, str], str]
    ) -> list[str]:
        """The pieces of one text with what `replace` makes of each finding's kind and value."""
        return replaced_across(texts, with_across(texts, self._engine.find), replace)

    def replaced(
        self, text: str, findings: list[Finding], replace: Callable[[str, str], str]
    ) -> str:
        """`text` with what `replace` makes of each finding's kind and value."""
        if not findings:
            return text
        told, at = [], 0
        for one in findings:
            told += [text[at : one.start], replaced(text[one.start : one.end], one.kind, replace)]
            at = one.end
        told.append(text[at:])
        return "".join(told)

    def _in_text(self, text: str, mapping: Mapping, hidden: Hidden) -> str:
        return self.replaced(text, self._engine.find(text), self._hider(mapping, hidden))

    def _hider(self, mapping: Mapping, hidden: Hidden) -> Callable[[str, str], str]:
        """What makes of a kind and a value what stands for it."""

        def replace(kind: str, value: str) -> str:
            hidden.count(kind)
            mode = self.mode_of(kind)
            if mode == "placeholder":
                told = mapping.placeholder_for(label(kind), value)
            elif mode == "stand_in":
                seen = read(value)
                told = mapping.stand_in_for(
                    label(kind), value, lambda number: stand_in_for(kind, seen, number, self._key)
                )
            else:
                told = self.without_return(kind, value, hidden)
            hidden.stands_for[kind, value] = told
            return told

        return replace

    def without_return(self, kind: str, value: str, hidden: Hidden) -> str:
        """What stands for a value that is never put back."""
        mode = self.mode_of(kind)
        if mode == "hash":
            # Of the value as it reads: one person has one hash, in a text and in an address.
            seen = f"{kind}\n{read(value)}".encode()
            digest = hmac.new(self._key, seen, hashlib.sha256).hexdigest()
            return f"[{kind}:{digest[:_HASH_LETTERS]}]"
        if mode == "mask":
            return masked(value)
        if mode == "block":
            hidden.blocked.add(kind)
        return ""


def label(kind: str) -> str:
    """A kind as a placeholder names it: letters and underscores."""
    name = "".join(letter if letter.isalpha() and letter.isascii() else "_" for letter in kind)
    return name.strip("_").upper()[:24].rstrip("_") or "VALUE"


def masked(value: str) -> str:
    """`value` with stars for its letters and digits, all but the last four of a long one."""
    marks = [index for index, letter in enumerate(value) if letter.isalnum()]
    shown = set(marks[-_SHOWN:]) if len(marks) >= 2 * _SHOWN else set()
    return "".join(
        "*" if letter.isalnum() and index not in shown else letter
        for index, letter in enumerate(value)
    )


def json_value(written: str) -> str:
    """A piece of a string in JSON as it reads; as it is written where it is no whole piece."""
    try:
        return str(json.loads(f'"{written}"', strict=False)) if "\\" in written else written
    except ValueError:
        return written


def in_json_text(text: str, value: Any, change: Callable[[str], str]) -> str:
    """The JSON `text`, which reads `value`, with what `change` makes of its strings."""
    told = _each_text(value, change)
    return text if told == value else json.dumps(told, ensure_ascii=False)


def _each_text(value: Any, change: Callable[[str], str]) -> Any:
    if isinstance(value, str):
        return change(value)
    if isinstance(value, list):
        return [_each_text(one, change) for one in value]
    if isinstance(value, dict):
        return {change(name): _each_text(one, change) for name, one in value.items()}
    if isinstance(value, int) and not isinstance(value, bool):
        # A card's number needs no quotes to be one.
        written = str(value)
        told = change(written)
        return value if told == written else told
    return value
