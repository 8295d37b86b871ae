"""Which placeholder stands for which value, for as long as one conversation lasts.

The same value has the same placeholder throughout. It is what would give everything away, so it
is held in memory or encrypted, is never logged, and shows nothing of itself when printed.
"""

from __future__ import annotations

import json
from collections.abc import Iterable

import msgspec

from headgate.checks.redaction.placeholder import WRITTEN, folded, folded_kind, placeholder

MAX_VALUES = 20_000
"""Of one conversation; what is beyond has no placeholder, and its guard blocks."""


class TooManyValuesError(Exception):
    """A conversation has more values to hide than are remembered."""


class Issued(msgspec.Struct, frozen=True, gc=False):
    """A placeholder that was issued, and its value."""

    kind: str
    number: int
    value: str

    def __repr__(self) -> str:
        """The placeholder alone: reprs end up in logs."""
        return f"Issued({self.kind}_{self.number})"


class Mapping:
    """The placeholders of one conversation, in both directions."""

    def __init__(self, issued: Iterable[Issued] = ()) -> None:
        self.kinds: frozenset[str] = frozenset()
        """The kinds that were issued, folded."""
        self._by_value: dict[tuple[str, str], str] = {}
        self._by_name: dict[str, Issued] = {}
        self._last: dict[str, int] = {}
        self._taken: set[str] = set()
        for one in issued:
            self._remember(one)

    def __len__(self) -> int:
        return len(self._by_name)

    def __repr__(self) -> str:
        """How many there are: reprs end up in logs."""
        return f"Mapping({len(self)} values)"

    def avoid(self, text: str) -> None:
        """Never issue what `text` has in it by itself: that is not ours to put back."""
        if "<" in text:
            for match in WRITTEN.finditer(text):
                name = folded(match[1], match[2])
                if name not in self._by_name:
                    self._taken.add(name)

    def placeholder_for(self, kind: str, value: str) -> str:
        """The placeholder of `value`, a new one where it has none.

        Raises `TooManyValuesError`.
        """
        known = self._by_value.get((kind, value))
        if known is not None:
            return known
        if len(self._by_name) >= MAX_VALUES:
            raise TooManyValuesError
        number = self._last.get(kind, 0) + 1
        while folded(kind, str(number)) in self._taken:
            number += 1
        return self._remember(Issued(kind, number, value))

    def value_of(self, name: str, number: str, *, in_json: bool = False) -> str | None:
        """The value of a placeholder as it was written; None where it was never issued.

        With `in_json` as it stands between the quotes of a JSON string.
        """
        issued = self._by_name.get(folded(name, number))
        if issued is None:
            return None
        return json.dumps(issued.value, ensure_ascii=False)[1:-1] if in_json else issued.value

    def issued(self) -> list[Issued]:
        """All of them, to be kept where only the conversation can read them."""
        return list(self._by_name.values())

    def _remember(self, issued: Issued) -> str:
        told = placeholder(issued.kind, issued.number)
        self._by_value[issued.kind, issued.value] = told
        self._by_name[folded(issued.kind, str(issued.number))] = issued
        self._last[issued.kind] = max(issued.number, self._last.get(issued.kind, 0))
        folded_name = folded_kind(issued.kind)
        if folded_name not in self.kinds:
            self.kinds |= {folded_name}
        return told
