"""Puts values back where their stand-ins stand, in whole texts and as a text flows. Pure.

A stand-in is known only letter by letter: one that a model writes otherwise stays.
"""

from __future__ import annotations

import json
import re

from headgate.checks.redaction.mapping import Mapping


def with_values(text: str, mapping: Mapping, *, in_json: bool = False) -> str:
    """`text` with the values of `mapping` in place of their stand-ins."""
    if not mapping.stand_ins:
        return text
    return _pattern(mapping, in_json=in_json).sub(
        lambda match: _value(match[0], mapping, in_json=in_json), text
    )


class StandInRestorer:
    """Restores one text that flows; holds back no more than the beginning of a stand-in."""

    __slots__ = ("_held", "_in_json", "_longest", "_mapping", "_pattern")

    def __init__(self, mapping: Mapping, *, in_json: bool = False) -> None:
        self._mapping = mapping
        self._in_json = in_json
        self._pattern = _pattern(mapping, in_json=in_json)
        self._longest = max(len(_written(one, in_json=in_json)) for one in mapping.stand_ins)
        self._held = ""

    def feed(self, text: str) -> str:
        """Take in more of the text; return what may be shown now."""
        text = self._held + text
        told, at = [], 0
        for match in self._pattern.finditer(text):
            told += [text[at : match.start()], self._value(match[0])]
            at = match.end()
        end = self._begun_at(text, at)
        self._held = text[end:]
        told.append(text[at:end])
        return "".join(told)

    def close(self) -> str:
        """The text has ended: what was held back is shown as it is."""
        text, self._held = self._held, ""
        return text

    def _value(self, stand_in: str) -> str:
        return _value(stand_in, self._mapping, in_json=self._in_json)

    def _begun_at(self, text: str, after: int) -> int:
        for at in range(max(after, len(text) - self._longest + 1), len(text)):
            if self._mapping.may_begin(text[at:], in_json=self._in_json):
                return at
        return len(text)


def _written(text: str, *, in_json: bool) -> str:
    return json.dumps(text, ensure_ascii=False)[1:-1] if in_json else text


def _pattern(mapping: Mapping, *, in_json: bool) -> re.Pattern[str]:
    # None begins as another does, so their order makes no difference.
    return re.compile(
        "|".join(re.escape(_written(one, in_json=in_json)) for one in mapping.stand_ins)
    )


def _value(stand_in: str, mapping: Mapping, *, in_json: bool) -> str:
    if in_json:
        stand_in = json.loads(f'"{stand_in}"')
    return _written(mapping.stand_ins[stand_in].value, in_json=in_json)
