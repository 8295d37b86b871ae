"""Which values of an object a path such as `items[].price` stands for. Pure."""

from __future__ import annotations

import re
from typing import Any

import msgspec

EACH = "[]"
"""The step into every item of a list."""

_STEP = re.compile(r"[\w-]+|\[\]")
_PATH = re.compile(r"[\w-]+(\[\])*(\.[\w-]+(\[\])*)*")


class Place(msgspec.Struct, frozen=True):
    """One place that a path leads to."""

    path: str
    """With the items' numbers, such as `items[0].price`; where the path ends early, up to there."""
    value: Any
    is_there: bool = True
    """False: what the path goes through is null, absent, no list, or a list without items."""


def path_problem(path: str) -> str | None:
    """What keeps `path` from being one, or None."""
    if _PATH.fullmatch(path):
        return None
    return "is no path to a field; write one as `refund.amount` or `items[].price`"


def steps_of(path: str) -> list[str]:
    """`items[].price` as `items`, `[]`, `price`."""
    return _STEP.findall(path)


def places(path: str, root: Any) -> list[Place]:
    """Where `path` leads in `root`: one place, or one for each item of the lists on its way."""
    found = [Place("", root)]
    for step in steps_of(path):
        found = [further for place in found for further in _further(place, step)]
    return found


def _further(place: Place, step: str) -> list[Place]:
    if not place.is_there:
        return [place]
    if step == EACH:
        if not isinstance(place.value, list) or not place.value:
            return [Place(place.path, place.value, is_there=False)]
        return [Place(f"{place.path}[{number}]", item) for number, item in enumerate(place.value)]
    if not isinstance(place.value, dict):
        return [Place(place.path, place.value, is_there=False)]
    path = f"{place.path}.{step}" if place.path else step
    if step not in place.value:
        return [Place(path, None, is_there=False)]
    return [Place(path, place.value[step])]


def texts_in(place: Place) -> list[Place]:
    """The texts at `place` and in all that it holds."""
    found: list[Place] = []
    waiting = [place]
    while waiting:
        one = waiting.pop()
        if isinstance(one.value, str):
            found.append(one)
        elif isinstance(one.value, list):
            waiting += [Place(f"{one.path}[{n}]", item) for n, item in enumerate(one.value)]
        elif isinstance(one.value, dict):
            dot = "." if one.path else ""
            waiting += [Place(f"{one.path}{dot}{n}", item) for n, item in one.value.items()]
    return found


def same(one: Any, other: Any) -> bool:
    """Whether two values are equal as JSON: 1 and 1.0 are, 1 and true are not."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same(one[name], other[name]) for name in one)
    return bool(one == other)
