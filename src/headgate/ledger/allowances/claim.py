"""What one call may use at worst, as limits and budgets count it before it is made."""

from __future__ import annotations

from collections.abc import Sequence
from operator import attrgetter

import msgspec

from headgate.ledger.allowances.rule import Measure, Rule

_measure = attrgetter("measure")

_UNSTATED_PART = 4
"""Of a limit on tokens, the part that a call which states no maximum is taken to write at most."""


class Claim(msgspec.Struct, frozen=True, gc=False):
    """The worst case of one call."""

    model: str
    input_tokens: int
    output_tokens: int
    output_stated: bool
    """Whether the request says how much may be written; else it is assumed."""
    nanousd: int | None
    """None where no price is known."""

    def amounts(self, rules: Sequence[Rule]) -> list[int]:
        """How much of an allowance of each rule the call may use."""
        of = {
            "requests": 1,
            "concurrent": 1,
            "tokens": self.input_tokens + self.output_tokens,
            # What has no price may turn out to have one; where nothing is left, it may not.
            "nanousd": 1 if self.nanousd is None else self.nanousd,
        }
        if self.output_stated:
            return list(map(of.__getitem__, map(_measure, rules)))
        return [
            self._assumed_tokens(rule) if (measure := rule.measure) == "tokens" else of[measure]
            for rule in rules
        ]

    def amount(self, rule: Rule) -> int:
        """How much of an allowance of `rule` the call may use."""
        return self.amounts((rule,))[0]

    def _assumed_tokens(self, rule: Rule) -> int:
        # An assumption must not keep every call out of a small limit.
        return self.input_tokens + min(self.output_tokens, rule.limit // _UNSTATED_PART)


def of_money(nanousd: int) -> Claim:
    """The claim of what names no tokens and may cost so much."""
    return Claim("", 0, 0, output_stated=True, nanousd=nanousd)


class Used(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What a call that has ended really used."""

    requests: int
    tokens: int
    nanousd: int | None
    """None where no price is known."""

    def by_measure(self) -> dict[Measure, int | None]:
        """How much of each kind was used; None where that is not known."""
        nanousd = self.nanousd
        if nanousd is not None and nanousd < 0:
            nanousd = 0
        return {
            "requests": self.requests,
            "tokens": self.tokens,
            "nanousd": nanousd,
            "concurrent": 0,
        }


def unknown_amount(rule: Rule, reserved: int) -> int:
    """How much of what was `reserved` counts as used where nobody knows."""
    return 0 if rule.unpriced_allowed else reserved


NOTHING = Used(requests=0, tokens=0, nanousd=0)
"""What a call used that was not made."""
