"""What would a month of work cost on each model that could do it? Pure reckoning, in integers.

Where the work comes from (a file, the ledger) and which models could do it is decided elsewhere.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Literal

import msgspec

from headgate.ledger.cost import Price

BATCH_TIER = "batch"

Standing = Literal["in use", "rung", "asked"]
"""Why a candidate stands beside a piece of work.

`in use`: what answers it today, the first target of its route.
`rung`: a further target of its route.
`asked`: a model that the operator wants to compare.
"""


class Mix(msgspec.Struct, frozen=True, kw_only=True):
    """How a route divides its calls among its targets, where it is not the first that answers."""

    name: str
    """Such as `triage, weighted`."""
    weights: tuple[int, ...] | None
    """The part of each target; None: the cheapest has them all."""


class Candidate(msgspec.Struct, frozen=True, kw_only=True):
    """A model of a provider that could do a piece of work."""

    provider: str
    price_list: str
    """Whose public prices apply, where the address does not tell."""
    price_address: str
    model: str

    @property
    def name(self) -> str:
        """How it is written, as in the header `x-headgate-target`."""
        return f"{self.provider}/{self.model}"


class Volume(msgspec.Struct, frozen=True, kw_only=True):
    """Calls of one price tier in a month, and the tokens that they use together."""

    calls: int
    input_tokens: int
    """Cached and written ones included."""
    cached_tokens: int = 0
    cache_write_tokens: int = 0
    output_tokens: int = 0


class Work(msgspec.Struct, frozen=True, kw_only=True):
    """A piece of the workload: its volume in a month, and who could do it."""

    name: str
    asks_for: str
    """The route or model that it names."""
    standard: Volume
    batch: Volume
    answered_calls: int = 0
    """Calls that Headgate's cache answers; they cost nothing."""
    candidates: tuple[Candidate, ...]
    """In the order of the route; the first one is in use, unless there is a `mix`."""
    mix: Mix | None = None
    movable: bool = True
    """Whether a model that the operator asks about could take it over."""
    counted: bool = True
    """Whether its tokens are known; what is charged by other measures can't be reckoned."""
    recorded_nanousd: int | None = None
    """What the ledger says it cost, as a month's worth; None where no ledger was read."""


class Option(msgspec.Struct, frozen=True, kw_only=True):
    """What a month of one piece of work costs on one candidate."""

    work: str
    candidate: str
    standing: Standing
    month_nanousd: int | None
    """None where a price is not known."""
    call_nanousd: int | None
    """The mean over the calls that reach the provider; None where there are none or no price."""
    price_versions: tuple[str, ...]
    unpriced: tuple[Literal["standard", "batch"], ...] = ()
    """The tiers that the work needs and that have no known price."""


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """A month of the whole workload under one choice of candidates."""

    name: str
    month_nanousd: int | None
    """The sum over the work that has a price; None where none has."""
    unpriced_work: tuple[str, ...]
    """The work that is missing from the sum."""
    kept_work: tuple[str, ...] = ()
    """The work that the choice does not touch, counted at what it costs today."""


class Estimate(msgspec.Struct, frozen=True, kw_only=True):
    """Every option of every piece of work, and the plans that can be made of them."""

    options: tuple[Option, ...]
    plans: tuple[Plan, ...]


PriceOf = Callable[[Candidate, str | None], Price | None]
"""Finds the price of a candidate in a service tier; None where it is not known."""


def monthly(
    *,
    requests_per_day: int,
    days: int,
    input_tokens: int,
    output_tokens: int,
    cached_share: float,
    batch_share: float,
    answered_share: float,
) -> tuple[Volume, Volume, int]:
    """A month of equal requests: the standard volume, the batch volume, the calls answered here.

    Shares are read as the decimals that they are written as, so 0.1 is a tenth.
    """
    requests = requests_per_day * days
    answered = _rounded(requests * _exactly(answered_share))
    batched = _rounded((requests - answered) * _exactly(batch_share))

    def volume(calls: int) -> Volume:
        return Volume(
            calls=calls,
            input_tokens=calls * input_tokens,
            cached_tokens=_rounded(calls * input_tokens * _exactly(cached_share)),
            output_tokens=calls * output_tokens,
        )

    return volume(requests - answered - batched), volume(batched), answered


def scaled(count: int, *, days: int, period_us: int) -> int:
    """A count that was seen in `period_us`, as a month of `days` would have it."""
    return _rounded(Fraction(count * days * 86_400_000_000, period_us))


def estimate(workload: Sequence[Work], asked: Sequence[Candidate], price_of: PriceOf) -> Estimate:
    """Reckon `workload` on its own candidates and on those that are `asked` about."""
    options: list[Option] = []
    in_use: dict[str, Option] = {}
    cheapest: dict[str, Option] = {}
    dearest: dict[str, Option] = {}
    asked_options: dict[str, dict[str, Option]] = {one.name: {} for one in asked}
    for work in workload:
        first: Standing = "in use" if work.mix is None else "rung"
        own = [
            _option(work, candidate, "rung" if place else first, price_of)
            for place, candidate in enumerate(work.candidates)
        ]
        if work.mix is None:
            in_use[work.name] = own[0]
        else:
            in_use[work.name] = _mixed(work, work.mix, own)
            options.append(in_use[work.name])
        cheapest[work.name] = min(own, key=_dearness)
        dearest[work.name] = max(own, key=_dearness)
        options += own
        if not work.movable:
            continue
        taken = {option.candidate: option for option in own}
        for candidate in asked:
            option = taken.get(candidate.name)
            if option is None:
                option = _option(work, candidate, "asked", price_of)
                taken[candidate.name] = option
                options.append(option)
            asked_options[candidate.name][work.name] = option
    plans = [_plan("as it is", in_use)]
    if any(len(work.candidates) > 1 for work in workload):
        plans.append(_plan("cheapest target of each route", cheapest))
        plans.append(_plan("dearest target of each route", dearest))
    for name, found in asked_options.items():
        kept = tuple(work.name for work in workload if not work.movable)
        plans.append(_plan(f"all on {name}", in_use | found, kept))
    return Estimate(options=tuple(options), plans=tuple(plans))


def _option(work: Work, candidate: Candidate, standing: Standing, price_of: PriceOf) -> Option:
    month_nanousd = 0
    versions: list[str] = []
    unpriced: list[Literal["standard", "batch"]] = []
    tiers: tuple[tuple[Literal["standard", "batch"], Volume, str | None], ...] = (
        ("standard", work.standard, None),
        ("batch", work.batch, BATCH_TIER),
    )
    for name, volume, tier in tiers:
        if not volume.calls:
            continue
        price = price_of(candidate, tier)
        if price is None:
            unpriced.append(name)
            continue
        if price.version not in versions:
            versions.append(price.version)
        month_nanousd += price.calls_nanousd(
            volume.calls,
            input_tokens=volume.input_tokens,
            cached_tokens=volume.cached_tokens,
            cache_write_tokens=volume.cache_write_tokens,
            output_tokens=volume.output_tokens,
        )
    calls = work.standard.calls + work.batch.calls
    known = work.counted and not unpriced
    return Option(
        work=work.name,
        candidate=candidate.name,
        standing=standing,
        month_nanousd=month_nanousd if known else None,
        call_nanousd=_rounded(Fraction(month_nanousd, calls)) if known and calls else None,
        price_versions=tuple(versions),
        unpriced=tuple(unpriced),
    )


def _mixed(work: Work, mix: Mix, own: Sequence[Option]) -> Option:
    """What the work costs where its route divides it among its targets."""
    weights = mix.weights
    if weights is None:
        cheapest = min(own, key=_dearness)
        weights = tuple(int(option is cheapest) for option in own)
    month = Fraction(0)
    unpriced: dict[Literal["standard", "batch"], None] = {}
    for option, weight in zip(own, weights, strict=True):
        if not weight:
            continue
        unpriced.update(dict.fromkeys(option.unpriced))
        month += Fraction((option.month_nanousd or 0) * weight, sum(weights))
    calls = work.standard.calls + work.batch.calls
    return Option(
        work=work.name,
        candidate=mix.name,
        standing="in use",
        month_nanousd=None if unpriced else _rounded(month),
        call_nanousd=None if unpriced or not calls else _rounded(month / calls),
        price_versions=tuple(dict.fromkeys(v for option in own for v in option.price_versions)),
        unpriced=tuple(unpriced),
    )


def _plan(name: str, chosen: dict[str, Option], kept: tuple[str, ...] = ()) -> Plan:
    known = [o.month_nanousd for o in chosen.values() if o.month_nanousd is not None]
    return Plan(
        name=name,
        month_nanousd=sum(known) if known else None,
        unpriced_work=tuple(work for work, o in chosen.items() if o.month_nanousd is None),
        kept_work=kept,
    )


def _dearness(option: Option) -> tuple[bool, int]:
    """Sorts by cost; what has no price comes last, for unknown is not cheap."""
    return option.month_nanousd is None, option.month_nanousd or 0


def _exactly(share: float) -> Fraction:
    return Fraction(repr(share))


def _rounded(value: Fraction) -> int:
    """Half up, as costs are; for values that are not negative."""
    return int(value + Fraction(1, 2))
