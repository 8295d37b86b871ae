"""A tool's terms as people read them: on the console's pages and in `headgate check`. Pure."""

from __future__ import annotations

import msgspec

from headgate.config.reviews import FieldReview
from headgate.config.tools import CallerSettings
from headgate.workflows.tools.terms import Terms

_VALUES_SHOWN = 5
_CHARACTERS_SHOWN = 60


def approval_in_words(terms: Terms) -> str:
    """When a person approves a call."""
    if "always" in terms.approvals:
        return "each call"
    rules = [
        _rule_in_words(rule)
        for approval in terms.approvals
        if not isinstance(approval, str)
        for rule in approval.when
    ]
    return " or ".join(rules) or "never"


def callers_in_words(terms: Terms) -> str:
    """The keys whose runs may use it."""
    return "; and ".join(filter(None, map(_callers_in_words, terms.callers))) or "any key"


def limits_in_words(terms: Terms) -> str:
    """How often and how long."""
    limits = [f"{terms.per_run} a run"]
    if terms.per_hour is not None:
        limits.append(f"{terms.per_hour:,} an hour")
    if terms.per_day is not None:
        limits.append(f"{terms.per_day:,} a day")
    return f"{', '.join(limits)}, {terms.timeout_s:g} s each"


def trust_in_words(terms: Terms) -> str:
    """What texts may lead to a call, and what its answers are to what comes after."""
    needs = "after trusted texts only" if terms.needs == "trusted" else "after any text"
    return f"{needs}; answers {'trusted' if terms.gives == 'trusted' else 'untrusted'}"


def reviewers_in_words(terms: Terms) -> str:
    """Who approves."""
    who = terms.reviewers or "reviewer, admin"
    return f"{who}, not whoever asked" if terms.four_eyes else who


def _rule_in_words(rule: FieldReview) -> str:
    if rule.one_of is not None:
        shown = ", ".join(_value(value) for value in rule.one_of[:_VALUES_SHOWN])
        more = len(rule.one_of) - _VALUES_SHOWN
        return f"{rule.field} is {shown}" + (f" or {more} others" if more > 0 else "")
    if rule.below is not None:
        return f"{rule.field} below {rule.below:g}"
    return f"{rule.field} above {rule.above or 0:g}"


def _value(value: object) -> str:
    text = msgspec.json.encode(value).decode()
    return text if len(text) <= _CHARACTERS_SHOWN else f"{text[:_CHARACTERS_SHOWN]}…"


def _callers_in_words(callers: CallerSettings) -> str:
    named = (
        ("role", callers.roles), ("project", callers.projects), ("key", callers.keys),
    )  # fmt: skip
    return ", ".join(f"{what} {' or '.join(values)}" for what, values in named if values)
