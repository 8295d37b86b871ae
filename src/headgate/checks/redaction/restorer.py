"""Puts values back where what stands for them stands, in whole texts and as a text flows. Pure.

Of a flowing text no more is held back than what may still become a placeholder, or a stand-in;
wherever it is cut, what comes out is the same.
"""

from __future__ import annotations

import re

from headgate.checks.redaction.mapping import Mapping
from headgate.checks.redaction.placeholder import WRITTEN, WRITTEN_IN_JSON, begun_at
from headgate.checks.redaction.stand_in_restorer import StandInRestorer, with_values


def restored(text: str, mapping: Mapping, *, in_json: bool = False) -> str:
    """`text` with the values of `mapping` in place of what stands for them.

    `in_json` says that the text is JSON itself, in whose strings a value must be escaped.
    """
    text = with_values(text, mapping, in_json=in_json)
    return placed(text, mapping, in_json=in_json)


def placed(text: str, mapping: Mapping, *, in_json: bool = False) -> str:
    """`text` with the values of `mapping` in place of their placeholders."""
    if not mapping.has_placeholders or ("<" not in text and not (in_json and "\\" in text)):
        return text

    def put_back(match: re.Match[str]) -> str:
        value = mapping.value_of(match[1], match[2], in_json=in_json)
        return match[0] if value is None else value

    return (WRITTEN_IN_JSON if in_json else WRITTEN).sub(put_back, text)


class Restorer:
    """Restores one text that flows: a choice's content, one tool call's arguments."""

    __slots__ = ("_before", "_held", "_in_json", "_mapping", "_stand_ins")

    def __init__(self, mapping: Mapping, *, in_json: bool = False) -> None:
        self._mapping = mapping
        self._in_json = in_json
        self._stand_ins = StandInRestorer(mapping, in_json=in_json) if mapping.stand_ins else None
        self._held = ""
        self._before = ""
        """The last character that was let go: in JSON it may escape the next."""

    @property
    def held(self) -> bool:
        """Whether something is held back."""
        return bool(self._held)

    @property
    def idle(self) -> bool:
        """Whether text without `<` and backslash may go by unread: nothing waits for it."""
        return not self._held and self._stand_ins is None and self._before != "\\"

    def feed(self, text: str) -> str:
        """Take in more of the text; return what may be shown now."""
        if self._stand_ins is not None:
            text = self._stand_ins.feed(text)
        return self._placed(text) if self._mapping.has_placeholders else text

    def close(self) -> str:
        """The text has ended: what was held back is shown as it is."""
        rest = self._placed(self._stand_ins.close()) if self._stand_ins is not None else ""
        text, self._held = self._held, ""
        return rest + self._let_go(text)

    def _placed(self, text: str) -> str:
        if self._held:
            text = self._held + text
        if "<" not in text and not (self._in_json and "\\" in text):
            self._held = ""
            self._before = text[-1:] or self._before
            return text
        end = begun_at(text, self._mapping.kinds, in_json=self._in_json)
        self._held = text[end:]
        return self._let_go(text[:end])

    def _let_go(self, text: str) -> str:
        if not text:
            return text
        if not self._mapping.has_placeholders:
            return text
        before, self._before = self._before, text[-1]
        told = placed(before + text, self._mapping, in_json=self._in_json)
        return told[len(before) :]
