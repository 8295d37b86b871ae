"""Which placeholder stands for which value, for as long as one conversation lasts.

The same value has the same placeholder throughout. It is what would give everything away, so it
is held in memory or encrypted, is never logged, and shows nothing of itself when printed.
"""

from __future__ import annotations

import json
from bisect import bisect_left, insort
from collections.abc import Callable, Iterable

import msgspec

from headgate.checks.redaction.placeholder import (
    WRITTEN,
    WRITTEN_IN_JSON,
    folded,
    folded_kind,
    placeholder,
)

MAX_VALUES = 20_000
"""Of one conversation; what is beyond has no placeholder, and its guard blocks."""


_DRAWS_AT_MOST = 32


class TooManyValuesError(Exception):
    """A conversation has more values to hide than are remembered."""


class Issued(msgspec.Struct, frozen=True, gc=False):
    """A placeholder that was issued, and its value."""

    kind: str
    number: int
    value: str
    stand_in: str | None = None
    """What stands for it, where that is no placeholder."""

    def __repr__(self) -> str:
        """Its kind and number alone: reprs end up in logs."""
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
        self._stand_ins: dict[str, Issued] = {}
        self._sorted_stand_ins: list[str] = []
        for one in issued:
            self._remember(one)

    def __len__(self) -> int:
        return len(self._by_name) + len(self._stand_ins)

    @property
    def has_placeholders(self) -> bool:
        """Whether any was issued."""
        return bool(self._by_name)

    @property
    def told(self) -> tuple[str, ...]:
        """What stands for its values, sorted: placeholders and stand-ins, not the values."""
        return tuple(sorted(self._by_value.values()))

    @property
    def stand_ins(self) -> dict[str, Issued]:
        """The values that have a stand-in, by that."""
        return self._stand_ins

    def __repr__(self) -> str:
        """How many there are: reprs end up in logs."""
        return f"Mapping({len(self)} values)"

    def avoid(self, text: str, *, in_json: bool = False) -> None:
        """Never issue what `text` has in it by itself: that is not ours to put back."""
        if "<" in text or (in_json and "\\" in text):
            for match in (WRITTEN_IN_JSON if in_json else WRITTEN).finditer(text):
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
        if len(self) >= MAX_VALUES:
            raise TooManyValuesError
        number = self._last.get(kind, 0) + 1
        while folded(kind, str(number)) in self._taken:
            number += 1
        return self._remember(Issued(kind, number, value))

    def stand_in_for(self, kind: str, value: str, draw: Callable[[int], str]) -> str:
        """The stand-in of `value`; `draw` gives candidates until one is no other's beginning.

        Raises `TooManyValuesError`.
        """
        known = self._by_value.get((kind, value))
        if known is not None:
            return known
        if len(self) >= MAX_VALUES:
            raise TooManyValuesError
        for number in range(_DRAWS_AT_MOST):
            stand_in = draw(number)
            if stand_in and stand_in != value and not self._overlaps(stand_in):
                return self._remember(Issued(kind, number, value, stand_in))
        # A value of so few letters has no other of its form left.
        return self.placeholder_for(kind, value)

    def _overlaps(self, stand_in: str) -> bool:
        """Whether one begins as another does, so that they could not be told apart as they flow."""
        known = self._sorted_stand_ins
        at = bisect_left(known, stand_in)
        follows = at < len(known) and known[at].startswith(stand_in)
        return follows or (at > 0 and stand_in.startswith(known[at - 1]))

    def may_begin(self, text: str, *, in_json: bool = False) -> bool:
        """Whether `text` is the beginning of a stand-in."""
        if in_json and ("\\" in text or any('"' in one for one in self._sorted_stand_ins)):
            written = (json.dumps(one, ensure_ascii=False) for one in self._sorted_stand_ins)
            return any(one[1:-1].startswith(text) for one in written)
        known = self._sorted_stand_ins
        at = bisect_left(known, text)
        return at < len(known) and known[at].startswith(text)

    def value_of(self, name: str, number: str, *, in_json: bool = False) -> str | None:
        """The value of a placeholder as it was written; None where it was never issued.

        With `in_json` as it stands between the quotes of a JSON string.
        """
        issued = self._by_name.get(folded(name, number))
        if issued is None:
            return None
        return json.dumps(issued.value, ensure_ascii=False)[1:-1] if in_json else issued.value

    def standing(self) -> list[tuple[str, Issued]]:
        """What stands for each value, and that."""
        return [(self._by_value[one.kind, one.value], one) for one in self.issued()]

    def issued(self) -> list[Issued]:
        """All of them, to be kept where only the conversation can read them."""
        return [*self._by_name.values(), *self._stand_ins.values()]

    def _remember(self, issued: Issued) -> str:
        if issued.stand_in is not None:
            self._by_value[issued.kind, issued.value] = issued.stand_in
            self._stand_ins[issued.stand_in] = issued
            insort(self._sorted_stand_ins, issued.stand_in)
            return issued.stand_in
        told = placeholder(issued.kind, issued.number)
        self._by_value[issued.kind, issued.value] = told
        self._by_name[folded(issued.kind, str(issued.number))] = issued
        self._last[issued.kind] = max(issued.number, self._last.get(issued.kind, 0))
        folded_name = folded_kind(issued.kind)
        if folded_name not in self.kinds:
            self.kinds |= {folded_name}
        return told
