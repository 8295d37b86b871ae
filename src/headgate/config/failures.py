"""`retries:` and `breaker:`: what happens when providers fail."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from headgate.config.table import Seconds, Share, Table


class RetryBudgetSettings(Table, frozen=True):
    """How much more may be asked of a provider than its calls' first attempts.

    Retries, hedges and further targets of the same provider are paid from it; where it is used up,
    the failure goes to another provider or to the client. A provider that fails now and then may be
    asked again each time; one that is down gets `share` more and no more.
    """

    share: Annotated[
        Share, Meta(description="Further attempts for each first one: 0.1 is a tenth more load.")
    ] = 0.1
    success_share: Annotated[
        Share,
        Meta(
            description="How many failures an answer makes up for: with 0.5 a provider counts as"
            " down where more than a third of its attempts fail, and gets `share` only."
        ),
    ] = 0.5
    floor_per_s: Annotated[
        float,
        Meta(
            ge=0,
            le=1000,
            description="Failed attempts, and hedges, a second that change nothing, in each"
            " process, so that a quiet server may retry too.",
        ),
    ] = 2.0
    window_s: Annotated[
        Seconds, Meta(description="How long what was not used may be saved up.")
    ] = 10.0


class RetrySettings(Table, frozen=True):
    """What happens when an attempt fails before the client has seen anything of its answer."""

    max_attempts: Annotated[
        int, Meta(ge=1, le=10, description="Attempts per target, the first included.")
    ] = 3
    base_delay_s: Annotated[
        float, Meta(ge=0, le=60, description="Longest first pause; doubled each time, full jitter.")
    ] = 0.25
    max_delay_s: Annotated[
        float,
        Meta(
            ge=0,
            le=60,
            description="Longest pause; a provider that asks for a longer one ends the retries.",
        ),
    ] = 8.0
    give_up_unusual: Annotated[
        bool,
        Meta(
            description="Whether an attempt at an answer that is not streamed is given up for"
            " another where it takes far longer than the target's answers of late; of no matter"
            " where `timeouts.attempt_s` is set."
        ),
    ] = True
    budget: RetryBudgetSettings = RetryBudgetSettings()


class BreakerSettings(Table, frozen=True):
    """When a target that fails is left alone, and for how long.

    A provider's errors (5xx, timeouts, broken replies) count as failures; its refusals of a request
    (other 4xx, a rate limit included) don't. Each process judges by its own calls.
    """

    enabled: Annotated[bool, Meta(description="Whether targets are ever left alone.")] = True
    window_s: Annotated[
        Seconds, Meta(description="How long an attempt counts, half to whole of it.")
    ] = 30.0
    min_calls: Annotated[
        int, Meta(ge=1, le=1_000_000, description="Attempts below which nothing is concluded.")
    ] = 20
    error_share: Annotated[
        float, Meta(gt=0, le=1, description="Share of failed attempts that opens the breaker.")
    ] = 0.5
    slow_s: Annotated[
        Seconds | None,
        Meta(
            description="An attempt whose answer begins later than this is slow; without it none"
            " is. Of replies that are not streamed only embeddings and moderations are timed."
        ),
    ] = None
    slow_share: Annotated[
        float, Meta(gt=0, le=1, description="Share of slow attempts that opens the breaker.")
    ] = 0.8
    open_s: Annotated[
        Seconds,
        Meta(
            description="How long the target is left alone before one call probes it; doubled each"
            " time the probe fails."
        ),
    ] = 2.0
    max_open_s: Annotated[Seconds, Meta(description="The longest that it is left alone.")] = 10.0
