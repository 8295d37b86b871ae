"""What may be used, by whom, in which window: the rules that limits and budgets come down to.

A rule measures one thing. What it is about, such as a project, is its *subject*; a rule and a
subject make an allowance.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, tzinfo
from decimal import Decimal
from fnmatch import fnmatchcase
from typing import Literal, NamedTuple

import msgspec

from headgate.config.allowances import BudgetSettings, Dimension, UsageLimitSettings
from headgate.ledger.allowances.window import Window, zone_of

Measure = Literal["requests", "tokens", "nanousd", "concurrent"]
"""What a rule counts: calls, tokens in and out, money, calls in flight."""

NOBODY = "(none)"
"""Stands for those calls together that name no feature or no user."""

_NANO = 1_000_000_000


class Who(NamedTuple):
    """Whose a call is, in every way that rules tell calls apart."""

    project: str
    key: str
    feature: str | None = None
    user: str | None = None
    """The keyed hash of the end user."""
    workflow: str | None = None


class Rule(msgspec.Struct, frozen=True, kw_only=True):
    """One limit of one measure."""

    name: str
    """Tells it from every other rule, in the database too: `requests/minute per project`."""
    kind: Literal["limit", "budget"]
    measure: Measure
    window: Window
    limit: int
    """In calls, tokens or nano-dollars."""
    per: tuple[Dimension, ...]
    of: tuple[tuple[Dimension, str], ...] = ()
    zone: tzinfo = UTC
    zone_name: str = "UTC"
    wait_s: float = 0.0
    soft: int | None = None
    """Where use passes this, calls go by `cheaper_route`."""
    cheaper_route: str | None = None
    alerts_at: tuple[int, ...] = ()
    unpriced_allowed: bool = False
    asks: bool = False
    """Whether a person is asked for more where it does not hold a call."""
    reviewers: str | None = None
    """The group that is asked."""

    def subject(self, who: Who) -> str | None:
        """Which of its allowances a call of `who` spends; None where the rule is about others."""
        return _subject(self.per, self.of, who)


class CallCap(msgspec.Struct, frozen=True, kw_only=True):
    """The most that one call may cost."""

    name: str
    limit: int
    """Nano-dollars."""
    per: tuple[Dimension, ...]
    of: tuple[tuple[Dimension, str], ...] = ()
    unpriced_allowed: bool = False

    def applies_to(self, who: Who) -> bool:
        """Whether it holds for calls of `who`."""
        return _subject(self.per, self.of, who) is not None


class Rules(msgspec.Struct, frozen=True):
    """Every rule of a server."""

    rules: tuple[Rule, ...] = ()
    caps: tuple[CallCap, ...] = ()


def nanousd(dollars: str) -> int:
    """Dollars as text, with at most nine decimals, in nano-dollars."""
    return int(Decimal(dollars) * _NANO)


def rules_of(limits: Iterable[UsageLimitSettings], budgets: Iterable[BudgetSettings]) -> Rules:
    """The rules that the configuration's limits and budgets come down to.

    Raises ValueError for a time zone that is not known.
    """
    rules: list[Rule] = []
    caps: list[CallCap] = []
    for limit in limits:
        rules.extend(_of_limit(limit))
    for budget in budgets:
        per, of = _scope(budget.per, budget.of)
        if budget.usd is not None and budget.window is not None:
            amount = nanousd(budget.usd)
            soft = () if budget.soft_at is None else (budget.soft_at,)
            rules.append(
                Rule(
                    name=f"usd/{budget.window}{_named(per, of)}",
                    kind="budget",
                    measure="nanousd",
                    window=budget.window,
                    limit=amount,
                    per=per,
                    of=of,
                    zone=zone_of(budget.time_zone),
                    zone_name=budget.time_zone,
                    soft=None if budget.soft_at is None else amount * budget.soft_at // 100,
                    cheaper_route=budget.cheaper_route,
                    alerts_at=tuple(sorted({*budget.alerts_at, *soft})),
                    unpriced_allowed=budget.unpriced == "allow",
                    asks=budget.at_limit == "ask",
                    reviewers=budget.reviewers,
                )
            )
        if budget.max_call_usd is not None:
            caps.append(
                CallCap(
                    name=f"usd/call{_named(per, of)}",
                    limit=nanousd(budget.max_call_usd),
                    per=per,
                    of=of,
                    unpriced_allowed=budget.unpriced == "allow",
                )
            )
    return Rules(tuple(rules), tuple(caps))


def _of_limit(limit: UsageLimitSettings) -> Iterable[Rule]:
    per, of = _scope(limit.per, limit.of)
    wanted: tuple[tuple[Measure, Window, int | None], ...] = (
        ("requests", "minute", limit.requests_per_minute),
        ("tokens", "minute", limit.tokens_per_minute),
        ("tokens", "day", limit.tokens_per_day),
        ("concurrent", "now", limit.concurrent),
    )
    for measure, window, most in wanted:
        if most is not None:
            what = measure if window == "now" else f"{measure}/{window}"
            daily = window == "day"
            yield Rule(
                name=f"{what}{_named(per, of)}",
                kind="limit",
                measure=measure,
                window=window,
                limit=most,
                per=per,
                of=of,
                zone=zone_of(limit.time_zone) if daily else UTC,
                zone_name=limit.time_zone if daily else "UTC",
                wait_s=limit.wait_s,
            )


def _scope(
    per: Dimension | tuple[Dimension, ...], of: dict[Dimension, str]
) -> tuple[tuple[Dimension, ...], tuple[tuple[Dimension, str], ...]]:
    dimensions = (per,) if isinstance(per, str) else per
    # One allowance for the whole server has nothing to be told apart by.
    kept = tuple(sorted({name for name in dimensions if name != "organisation"}))
    return kept, tuple(sorted(of.items()))


def _named(per: tuple[Dimension, ...], of: tuple[tuple[Dimension, str], ...]) -> str:
    name = f" per {'+'.join(per) or 'organisation'}"
    if of:
        name += f" of {','.join(f'{dimension}={value}' for dimension, value in of)}"
    return name


def _subject(
    per: tuple[Dimension, ...], of: tuple[tuple[Dimension, str], ...], who: Who
) -> str | None:
    for dimension, pattern in of:
        value = _value(dimension, who)
        if value is None or not fnmatchcase(value, pattern):
            return None
    parts = []
    for dimension in per:
        value = _value(dimension, who)
        if value is None:
            # A caller chooses whether it names a feature or a user, but not whether a run calls.
            if dimension == "workflow":
                return None
            value = NOBODY
        parts.append(f"{dimension}={value}")
    return ",".join(parts) or "organisation"


def _value(dimension: Dimension, who: Who) -> str | None:
    return "organisation" if dimension == "organisation" else getattr(who, dimension)
