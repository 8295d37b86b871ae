"""What one call may use at worst, as limits and budgets count it before it is made."""

from __future__ import annotations

import msgspec

from headgate.ledger.allowances.rule import Rule

_UNSTATED_PART = 4
"""Of a limit on tokens, the part that a call which states no maximum is taken to write at most."""


class Claim(msgspec.Struct, frozen=True, kw_only=True):
    """The worst case of one call."""

    model: str
    input_tokens: int
    output_tokens: int
    output_stated: bool
    """Whether the request says how much may be written; else it is assumed."""
    nanousd: int | None
    """None where no price is known."""

    def amount(self, rule: Rule) -> int:
        """How much of an allowance of `rule` the call may use."""
        match rule.measure:
            case "tokens":
                output = self.output_tokens
                if not self.output_stated:
                    # An assumption must not keep every call out of a small limit.
                    output = min(output, rule.limit // _UNSTATED_PART)
                return self.input_tokens + output
            case "nanousd":
                # What has no price may turn out to have one; where nothing is left, it may not.
                return 1 if self.nanousd is None else self.nanousd
        return 1


class Used(msgspec.Struct, frozen=True, kw_only=True):
    """What a call that has ended really used."""

    requests: int
    tokens: int
    nanousd: int | None
    """None where no price is known."""

    def amount(self, rule: Rule, reserved: int) -> int:
        """How much of what was `reserved` of an allowance of `rule` was used, or how much more."""
        match rule.measure:
            case "tokens":
                return self.tokens
            case "nanousd":
                if self.nanousd is not None:
                    return max(0, self.nanousd)
                return 0 if rule.unpriced_allowed else reserved
            case "requests":
                return self.requests
        return 0


NOTHING = Used(requests=0, tokens=0, nanousd=0)
"""What a call used that was not made."""
