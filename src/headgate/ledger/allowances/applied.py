"""What holds for the calls of one caller: shares of limits and budgets, by what they count."""

from __future__ import annotations

import msgspec

from headgate.ledger.allowances.rule import CallCap, Measure, Rule
from headgate.ledger.allowances.share import Share

_TOLD: tuple[Measure, ...] = ("requests", "tokens")
"""What replies tell of in headers."""

_OF_ANSWERED: tuple[Measure, ...] = ("requests", "concurrent")
"""What also a call uses that is answered without a model."""

Told = tuple[Measure, tuple[Share, ...]]
"""Shares that count the same."""


class Applied(msgspec.Struct, frozen=True, eq=False):
    """What holds for the calls of one caller."""

    shares: tuple[Share, ...]
    rules: tuple[Rule, ...]
    """Those of the shares, in their order."""
    caps: tuple[CallCap, ...] = ()
    told: tuple[Told, ...] = ()
    """The shares of limits that replies tell of, by what they count."""
    answered: Applied | None = None
    """What of it holds for a call that is answered without a model."""
    money: Applied | None = None
    """What of it counts money; None where nothing does."""
    soft: tuple[Share, ...] = ()
    """Those that send calls to a cheaper route before they are used up."""
    active: dict[Share, None] = {}
    """The shares, as the exchange notes those that may have something to tell."""

    def __bool__(self) -> bool:
        return bool(self.shares or self.caps)


def applied_of(shares: tuple[Share, ...], caps: tuple[CallCap, ...]) -> Applied:
    """What holds where a caller's calls spend these `shares`, and each may cost what `caps` say."""
    told = tuple((m, of) for m in _TOLD if (of := _counting(shares, m)))
    paid = _counting(shares, "nanousd")
    return Applied(
        shares,
        _rules(shares),
        caps,
        told,
        answered=_narrowed(_counting(shares, *_OF_ANSWERED), told=told),
        money=_narrowed(paid, caps=caps) if paid or caps else None,
        soft=tuple(s for s in shares if s.rule.soft is not None and s.rule.cheaper_route),
        active=dict.fromkeys(shares),
    )


def _rules(shares: tuple[Share, ...]) -> tuple[Rule, ...]:
    return tuple(share.rule for share in shares)


def _counting(shares: tuple[Share, ...], *measures: Measure) -> tuple[Share, ...]:
    return tuple(share for share in shares if share.rule.measure in measures)


def _narrowed(
    shares: tuple[Share, ...], *, caps: tuple[CallCap, ...] = (), told: tuple[Told, ...] = ()
) -> Applied:
    """What holds where only `shares` and `caps` are looked at."""
    return Applied(shares, _rules(shares), caps, told, active=dict.fromkeys(shares))
