"""Where does the work of an estimate come from? A workload file, or the calls of the ledger."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import msgspec

from headgate.cli.candidates import Candidates
from headgate.cli.database import open_database
from headgate.config.workload import load_workload
from headgate.errors import ModelNotFoundError, NotFoundError
from headgate.intake.access.projects import wall_clock_us
from headgate.ledger.estimate import Candidate, Volume, Work, monthly
from headgate.ledger.past_work import (
    BATCH_ENDPOINT,
    MOST_WORK,
    MOVABLE_ENDPOINTS,
    PastWork,
    past_workload,
)
from headgate.ledger.period import moment_us

DEFAULT_SINCE = "30d"
DEFAULT_DAYS = 30

Split = Literal["model", "workflow", "project"]
"""How the ledger's calls are parted into pieces of work."""

_DAY_US = 86_400_000_000
_NOTHING = Volume(calls=0, input_tokens=0)


class Workload(msgspec.Struct, frozen=True, kw_only=True):
    """A month of work, wherever it was read, and what had to be assumed for it."""

    work: tuple[Work, ...]
    days: int
    assumptions: tuple[str, ...]


def planned(file: Path, days: int | None, candidates: Candidates) -> Workload:
    """The work that `file` tells of, in a month of `days` or of as many as it says.

    Raises `ConfigError` with file, line and field.
    """
    document, settings = load_workload(file)
    month_days = days or settings.days_per_month
    work: list[Work] = []
    for index, one in enumerate(settings.workload):
        try:
            own = candidates.behind(one.model)
        except ModelNotFoundError as error:
            raise document.error(error.message, "workload", index, "model") from None
        standard, batch, answered = monthly(
            requests_per_day=one.requests_per_day,
            days=month_days,
            input_tokens=one.input_tokens,
            output_tokens=one.output_tokens,
            cached_share=one.cached_share,
            batch_share=one.batch_share,
            answered_share=one.answered_share,
        )
        work.append(
            Work(
                name=one.name, asks_for=one.model, standard=standard, batch=batch,
                answered_calls=answered, candidates=own, movable=one.movable,
                mix=candidates.mix(one.model, input_tokens=one.input_tokens),
            )
        )  # fmt: skip
    shares = [
        f"{one.name}: {one.cached_share:.4g} of the input cached by the provider,"
        f" {one.batch_share:.4g} of the requests as batches,"
        f" {one.answered_share:.4g} answered from Headgate's cache"
        for one in settings.workload
        if one.cached_share or one.batch_share or one.answered_share
    ]
    undecided = [
        f"{name} is a route whose strategy is `{strategy}`: which target answers is decided call by"
        f" call, so its first one{' that takes so many tokens' if strategy == 'tiered' else ''} is"
        " counted; the plans of the cheapest and the dearest bound it."
        for name in dict.fromkeys(one.model for one in settings.workload)
        if (strategy := candidates.undecided(name))
    ]
    return Workload(
        work=tuple(work),
        days=month_days,
        assumptions=(
            f"A month has {month_days} days, each with the requests that {file} gives.",
            "Every request of a piece of work is of its average size.",
            *(f"Shares of {share}." for share in shares),
            *undecided,
        ),
    )


def past(
    folder: Path | None,
    candidates: Candidates,
    *,
    since: str,
    until: str | None,
    group_by: Split,
    project: str | None,
    days: int,
) -> Workload:
    """The calls of the project in `folder`, or of one `project` of its ledger, as a month of work.

    Raises `NotFoundError` where there are none.
    """
    now_us = wall_clock_us()
    since_us = moment_us(since, now_us=now_us)
    until_us = now_us if until is None else moment_us(until, now_us=now_us, param="until")
    with open_database(folder) as opened, opened.database.connect() as connection:
        seen = past_workload(
            connection, split_by=group_by, since_us=since_us, until_us=until_us, days=days,
            project=project,
        )  # fmt: skip
    if not seen.work:
        raise NotFoundError(
            "The ledger holds no answered calls of that period; choose a longer --since, or name a"
            " workload file."
        )
    assumptions = [
        (
            f"A month has {days} days like the {seen.period_us / _DAY_US:.1f} of the ledger that"
            f" were read, with {seen.calls:,} calls."
        ),
        "Cached shares are those that the ledger holds.",
        "What batches used is at the price of batches, every other call at the standard price.",
        "Another model would need as many tokens as the one that answered.",
    ]
    if seen.simulated_calls:
        assumptions.append(
            f"{seen.simulated_calls:,} of the calls were answered by the simulator, which charges"
            " nothing; they count as if a real model had."
        )
    if seen.failed_calls:
        assumptions.append(
            f"{seen.failed_calls:,} of the calls failed; they count with what they used."
        )
    if seen.unpriced_calls:
        assumptions.append(
            f"{seen.unpriced_calls:,} of the calls have no price on record; `on record` lacks them."
        )
    work = _named_apart([_past_work(one, candidates) for one in seen.work])
    if uncounted := [one.name for one in work if not one.counted]:
        assumptions.append(
            f"No tokens and no price are on record of {', '.join(uncounted)}: charged by the"
            " minute, by letters or by the picture, they are unpriced."
        )
    if any(one.endpoint.startswith(("audio/", "images/", "realtime")) for one in seen.work):
        assumptions.append("Tokens of audio and pictures are counted at the price of text.")
    if seen.cut_short:
        assumptions.append(
            f"Only the dearest {MOST_WORK} pieces of work are here; the others are left out."
        )
    return Workload(
        work=work,
        days=days,
        assumptions=tuple(assumptions),
    )


def _past_work(past: PastWork, candidates: Candidates) -> Work:
    in_batches = past.endpoint == BATCH_ENDPOINT
    used = candidates.used(past.provider, past.model)
    rungs = () if past.route is None else candidates.rungs(past.route)
    own = [used, *(rung for rung in rungs if not _stands_for(rung, used))]
    return Work(
        name=past.group or "(none)",
        asks_for=past.route or past.model,
        standard=_NOTHING if in_batches else past.volume,
        batch=past.volume if in_batches else _NOTHING,
        answered_calls=past.answered_calls,
        candidates=tuple(own),
        movable=past.endpoint in MOVABLE_ENDPOINTS,
        counted=past.cost_nanousd is not None
        or bool(past.volume.input_tokens or past.volume.output_tokens),
        recorded_nanousd=past.cost_nanousd,
    )


def _named_apart(found: Sequence[Work]) -> tuple[Work, ...]:
    """The work, each piece under a name of its own: by itself, then with more of what it is."""
    work: list[Work] = []
    taken: set[str] = set()
    for one in found:
        name, number = one.name, 1
        more = [f"{one.name} ({one.asks_for})", f"{one.name} ({one.candidates[0].name})"]
        while name in taken:
            number += 1
            name = more.pop(0) if more else f"{one.name} ({number})"
        taken.add(name)
        work.append(msgspec.structs.replace(one, name=name))
    return tuple(work)


def _stands_for(rung: Candidate, used: Candidate) -> bool:
    """Whether `used` is what answers in the name of `rung`: models answer by a dated name."""
    return rung.provider == used.provider and (
        re.fullmatch(re.escape(rung.model) + r"(-\d[\d-]*)?", used.model) is not None
    )
