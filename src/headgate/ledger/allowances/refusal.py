"""What a caller is told whose call does not fit: which rule, what is left, when to come back."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from headgate.errors import (
    BudgetExceededError,
    HeadgateError,
    InvalidRequestError,
    LimitExceededError,
    UnavailableError,
)
from headgate.ledger.allowances.asking import Asked
from headgate.ledger.allowances.claim import Claim
from headgate.ledger.allowances.rule import CallCap, Rule
from headgate.ledger.allowances.share import Share
from headgate.ledger.allowances.window import FOR_EVER_US
from headgate.ledger.money import shown_usd

_SHORTEST_S = 0.05
_IN_FLIGHT_S = 1.0
"""When to come back where nobody can tell when a call in flight will end."""

_MAX_NAME = 64
_BEYOND_ALL = 2**63
"""More than any allowance holds."""
_ASK = " Ask whoever runs this server for more."


class RuleBudgetExceededError(BudgetExceededError):
    """A budget of this server's is used up; ask whoever runs it for more."""

    rule: Rule


class RuleLimitExceededError(LimitExceededError):
    """A limit of this server's is reached; come back when `retry-after` says."""

    rule: Rule


def refused(share: Share, amount: int, now_us: int, *, waited_s: float = 0.0) -> HeadgateError:
    """The refusal of a call that needs `amount` of what `share` is a part of."""
    rule = share.rule
    remaining = left(share)
    if amount > rule.limit:
        return never_fits(share, amount)
    retry_s = max(_SHORTEST_S, (share.more_at_us - now_us) / 1e6)
    if rule.measure == "nanousd":
        return _used_up(share, amount, remaining, retry_s)
    if rule.measure == "concurrent":
        retry_s = _IN_FLIGHT_S
    waited = f" It waited {_seconds(waited_s)} in line." if waited_s else ""
    error = RuleLimitExceededError(
        f"The limit `{rule.name}` of {rule.limit:,} is reached for {share.subject}: this call"
        f" needs {amount:,}, {remaining:,} are left.{waited} Try again in {_seconds(retry_s)}."
    )
    error.rule = rule
    error.retry_after_s = retry_s
    return error


def never_fits(share: Share, amount: int) -> HeadgateError:
    """The refusal of a call that needs more than there will ever be."""
    rule = share.rule
    if rule.measure == "nanousd":
        return _used_up(share, amount, left(share), None)
    error = RuleLimitExceededError(
        f"This call may use {amount:,} {rule.measure}, more than the whole limit `{rule.name}` of"
        f" {rule.limit:,} for {share.subject}; send less, or ask for fewer output tokens."
    )
    error.rule = rule
    error.retryable = False
    return error


def line_full(share: Share, bound: int) -> HeadgateError:
    """The refusal of a call that would wait if fewer did."""
    error = RuleLimitExceededError(
        f"The limit `{share.rule.name}` is reached for {share.subject}, and {bound:,} calls wait in"
        " line already, which is all that may (`allowances.queue_calls`). Try again shortly.",
        code="queue_full",
    )
    error.rule = share.rule
    error.retry_after_s = _IN_FLIGHT_S
    return error


def store_away() -> HeadgateError:
    """The refusal of a call that nobody can count."""
    return UnavailableError(
        "Limits and budgets can't be counted because the database is away or slow; try again"
        " shortly.",
        code="allowances_unavailable",
    )


def too_many() -> HeadgateError:
    """The refusal of a call for whom there is no room to count."""
    return UnavailableError(
        "More different users, keys or features have calls in flight than this process counts at"
        " once; try again shortly.",
        code="allowances_unavailable",
    )


def unpriced(claim: Claim, rule: str) -> HeadgateError:
    """The refusal of a call whose cost nobody can bound."""
    return InvalidRequestError(
        f"The model `{claim.model[:_MAX_NAME]}` has no known price, so `{rule}` can't be kept;"
        " an operator can name one under `prices`, or set `unpriced: allow` on the budget.",
        param="model",
        code="unpriced_model",
    )


def unpriced_work(endpoint: str, rule: str) -> HeadgateError:
    """The refusal of a request that has models run whose cost nobody will tell."""
    return InvalidRequestError(
        f"{endpoint} has models run at a cost that isn't known, so `{rule}` can't be kept; an"
        " operator can set `unpriced: allow` on the budget.",
        code="unpriced_model",
    )


def too_dear(claim: Claim, cap: CallCap) -> HeadgateError:
    """The refusal of a call that may cost more than one call may."""
    return InvalidRequestError(
        f"This call may cost up to {shown_usd(claim.nanousd)}, more than the"
        f" {shown_usd(cap.limit)} that `{cap.name}` allows; send less, or ask for fewer output"
        f" tokens than {claim.output_tokens:,}.",
        code="call_too_expensive",
    )


def asked(refused: HeadgateError, asked: Asked) -> HeadgateError:
    """The refusal of a call for whose budget a person is asked, or was."""
    if not isinstance(refused, RuleBudgetExceededError):
        return refused
    begins = refused.message.removesuffix(_ASK)
    if asked.state == "rejected":
        told = f"A person was asked for more and said no (review {asked.review_id})."
        code = "budget_exceeded"
    else:
        told = f"A person is asked for more (review {asked.review_id}); try again when they have"
        told += " decided."
        code = "budget_review_pending"
    error = RuleBudgetExceededError(f"{begins} {told}", code=code)
    error.rule = refused.rule
    return error


def left(share: Share) -> int:
    """How much is left of the allowance, as far as this process knows."""
    return scarcest((share,))[1]


def scarcest(shares: Sequence[Share]) -> tuple[Share, int]:
    """The one of `shares` of which the least is left, and how much, as far as is known here."""
    # Without `max` and a function for each: the head of each reply asks.
    scarce, least = shares[0], _BEYOND_ALL
    for share in shares:
        if share.known_at_us:
            unheld, available = share.left, share.available
            remains = (max(0, unheld)) + (max(0, available))
        else:
            # The store was not asked, because no answer of it could help.
            remains = share.rule.limit
        if remains < least:
            scarce, least = share, remains
    return scarce, least


def _used_up(share: Share, amount: int, remaining: int, retry_s: float | None) -> HeadgateError:
    rule, ends_us = share.rule, share.period.end_us
    message = (
        f"The budget `{rule.name}` of {shown_usd(rule.limit)} for {share.subject} does not hold"
        f" this call: it may cost up to {shown_usd(amount)}, {shown_usd(remaining)} are left."
    )
    if ends_us < FOR_EVER_US:
        at = datetime.fromtimestamp(ends_us / 1e6, UTC).astimezone(rule.zone)
        message += f" It begins anew at {at.isoformat(timespec='minutes')}."
    error = RuleBudgetExceededError(message + _ASK)
    error.rule = rule
    if retry_s is not None and ends_us < FOR_EVER_US:
        error.retry_after_s = retry_s
    return error


def _seconds(duration_s: float) -> str:
    return f"{duration_s:.3g} s" if duration_s < 100 else f"{duration_s:,.0f} s"
