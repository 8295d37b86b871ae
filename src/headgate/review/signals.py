"""What decisions tell of workflows and guards: how often people agree, and how long they take.

Decisions of a deadline are nobody's judgement, so they are counted apart. Pure.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from statistics import median

import msgspec

from headgate.review.edit import REWRITTEN_SHARE
from headgate.review.review import Settled


class Decided(msgspec.Struct, frozen=True, kw_only=True):
    """One decision, as far as signals go by it."""

    of: tuple[str, str]
    """A workflow and its version; of a guard's alarm its name, and nothing."""
    decision: Settled
    by_person: bool
    seconds: float
    edit_distance: int | None = None
    edit_share: float | None = None


class Signals(msgspec.Struct, frozen=True, kw_only=True):
    """The decisions about one version of a workflow, or about one guard's alarms.

    Rates are of the decisions that people made, from 0 to 1; null where there was none.
    """

    of: tuple[str, str]
    decisions: int
    by_deadline: int
    approved: int
    edited: int
    rejected: int
    overridden: int
    """Rejected, or written anew: at least half of the words are the person's."""
    acceptance_rate: float | None
    """Approved as it was drafted."""
    edit_rate: float | None
    override_rate: float | None
    mean_edit_distance: float | None
    """Words changed, of what people let out."""
    mean_edit_share: float | None
    """The same as a part of all words."""
    median_seconds_to_decision: float | None


def signals_of(decisions: Iterable[Decided]) -> list[Signals]:
    """Signals by what was decided about, in its order."""
    by: dict[tuple[str, str], list[Decided]] = defaultdict(list)
    for one in decisions:
        by[one.of].append(one)
    return [_signals(of, by[of]) for of in sorted(by)]


def _signals(of: tuple[str, str], decisions: list[Decided]) -> Signals:
    people = [one for one in decisions if one.by_person]
    count = {
        how: sum(one.decision == how for one in people)
        for how in ("approved", "edited", "rejected")
    }
    overridden = sum(_overrides(one) for one in people)
    distances = [one.edit_distance for one in people if one.edit_distance is not None]
    shares = [one.edit_share for one in people if one.edit_share is not None]
    return Signals(
        of=of,
        decisions=len(people),
        by_deadline=len(decisions) - len(people),
        approved=count["approved"],
        edited=count["edited"],
        rejected=count["rejected"],
        overridden=overridden,
        acceptance_rate=_rate(count["approved"], len(people)),
        edit_rate=_rate(count["edited"], len(people)),
        override_rate=_rate(overridden, len(people)),
        mean_edit_distance=_mean(distances),
        mean_edit_share=_mean(shares),
        median_seconds_to_decision=median(one.seconds for one in people) if people else None,
    )


def _overrides(one: Decided) -> bool:
    if one.decision == "rejected":
        return True
    return one.decision == "edited" and (one.edit_share or 0.0) >= REWRITTEN_SHARE


def _rate(part: int, whole: int) -> float | None:
    return round(part / whole, 4) if whole else None


def _mean(values: list[int] | list[float]) -> float | None:
    return round(sum(values) / len(values), 4) if values else None
