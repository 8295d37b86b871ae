"""A limit or a budget and how much of it is spent, in words for a page."""

from __future__ import annotations

import msgspec

from headgate.ledger.allowances.report import AllowanceState, ends_at_s
from headgate.ledger.money import shown_usd
from headgate.review.console.shown import count

_NEARLY_PERCENT = 80


class Allowance(msgspec.Struct, frozen=True, kw_only=True):
    """A limit or budget as the page shows it."""

    rule: str
    kind: str
    subject: str
    limit: str
    spent: str
    left: str
    percent: int
    """0 to 100 of the limit; never above, for nothing is spent beyond it."""
    tone: str
    """`ok`, `warn` from 80 % on, or `bad` when it is used up."""
    ends_at_us: int | None


def allowance_of(state: AllowanceState) -> Allowance:
    """`state` in words."""
    rule = state.rule
    money = rule.measure == "nanousd"
    limit = rule.limit + state.extra

    def shown(amount: int) -> str:
        return shown_usd(amount) if money else f"{count(amount)} {rule.measure}"

    percent = min(100, state.spent * 100 // limit)
    ends_at = ends_at_s(state)
    return Allowance(
        rule=rule.name,
        kind=rule.kind,
        subject=state.subject or "everything",
        limit=shown(limit),
        spent=shown(state.spent),
        left=shown(state.left),
        percent=percent,
        tone="bad" if not state.left else "warn" if percent >= _NEARLY_PERCENT else "ok",
        ends_at_us=None if ends_at is None else ends_at * 1_000_000,
    )
