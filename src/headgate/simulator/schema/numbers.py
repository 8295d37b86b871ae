"""A number within a schema's bounds, near a wished one where it can be.

In fractions, because decimals refuse to tell whether 1e300 is a multiple of 1e-300.
"""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

import msgspec


class Bounds(msgspec.Struct, frozen=True):
    """What a schema asks of a number."""

    low: Fraction | None
    low_excluded: bool
    high: Fraction | None
    high_excluded: bool
    step: Fraction
    """Values are multiples of this; 0 where any number will do."""

    def allow(self, value: Fraction) -> bool:
        """Whether `value` is within the bounds and a multiple of the step."""
        if self.low is not None and (value < self.low or (self.low_excluded and value == self.low)):
            return False
        if self.high is not None and (
            value > self.high or (self.high_excluded and value == self.high)
        ):
            return False
        return self.step == 0 or value % self.step == 0


def bounds_of(schema: dict[str, Any], *, integer: bool) -> Bounds:
    """The bounds in `schema`; an integer's step is at least one."""
    low, low_excluded = _tighter(schema, "minimum", "exclusiveMinimum", max)
    high, high_excluded = _tighter(schema, "maximum", "exclusiveMaximum", min)
    step = Fraction(0)
    if _is_number(schema.get("multipleOf")) and schema["multipleOf"] > 0:
        step = Fraction(str(schema["multipleOf"]))
    if integer:
        step = _common_multiple_with_one(step)
    return Bounds(low, low_excluded, high, high_excluded, step)


def number_within(bounds: Bounds, wished: float, *, integer: bool) -> int | float | None:
    """`wished` where the bounds allow it, else a number near it; None where there is none."""
    target = Fraction(str(wished))
    candidates = [target]
    if bounds.low is not None:
        target = max(target, bounds.low)
    if bounds.high is not None:
        target = min(target, bounds.high)
    if bounds.step:
        steps = math.floor(target / bounds.step)
        candidates += [(steps + offset) * bounds.step for offset in (0, 1, -1, 2, -2)]
    else:
        candidates.append(target)
        if bounds.low is not None and bounds.high is not None:
            candidates.append((bounds.low + bounds.high) / 2)
        candidates += [target + offset for offset in (1, -1)]
    for candidate in candidates:
        if bounds.allow(candidate):
            return _plain(candidate, integer=integer)
    return None


def _plain(value: Fraction, *, integer: bool) -> int | float:
    return int(value) if integer else float(value)


def _tighter(
    schema: dict[str, Any], inclusive: str, exclusive: str, choose: Any
) -> tuple[Fraction | None, bool]:
    plain, strict = schema.get(inclusive), schema.get(exclusive)
    has_plain, has_strict = _is_number(plain), _is_number(strict)
    if has_plain and has_strict:
        chosen = choose(plain, strict)
        return Fraction(str(chosen)), chosen == strict
    if has_strict:
        return Fraction(str(strict)), True
    if has_plain:
        # Draft 4 wrote `exclusiveMinimum: true` beside `minimum`.
        return Fraction(str(plain)), strict is True
    return None, False


def _common_multiple_with_one(step: Fraction) -> Fraction:
    if step == 0:
        return Fraction(1)
    return Fraction(step.numerator)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
