"""`limits`, `budgets` and `allowances` of `headgate.yaml`: how much may be used, by whom, when."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

Dimension = Literal["organisation", "project", "key", "feature", "user", "workflow"]
"""What calls are counted by; `organisation` is the whole server."""

BudgetWindow = Literal["day", "week", "month", "total"]
"""How long a budget lasts: a calendar day, a week from Monday, a calendar month, or for ever."""

WhenStoreIsAway = Literal["refuse", "spend_leased"]
"""`refuse`: calls that a rule applies to are answered 503. `spend_leased`: each process goes on
with what it has leased, and refuses when that is used."""

AtLimit = Literal["refuse", "ask"]
"""`refuse`: calls that the budget does not hold are refused until it begins anew. `ask`: they are
refused too, and a person is asked once, who may grant more for this window."""

Unpriced = Literal["refuse", "allow"]
"""What becomes of a call whose price nobody knows, where it would spend a budget."""

Priority = Literal["interactive", "normal", "bulk"]
"""`interactive`: a person waits. `bulk`: nobody does; it goes when no other call waits."""

Pattern = Annotated[str, Meta(pattern=r"^[^\x00-\x1f\x7f]{1,64}$")]
"""A name, or a pattern with `*` for anything."""

Count = Annotated[int, Meta(ge=1, le=10**15)]
Dollars = Annotated[str, Meta(pattern=r"^\d{1,9}(\.\d{1,9})?$")]
Percent = Annotated[int, Meta(ge=1, le=100)]

FRAME_TOKENS = 64
"""What a prompt is taken to take beyond its texts: roles, priming."""

_PER = "What each have their own: one of organisation, project, key, feature, user, workflow, or a\
 list of them for each combination."
_OF = "Only calls of these, by name or pattern: `{project: support}`."


class UsageLimitSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How much may be used in a while, and at once."""

    per: Annotated[Dimension | tuple[Dimension, ...], Meta(description=_PER)]
    of: Annotated[dict[Dimension, Pattern], Meta(description=_OF)] = {}
    requests_per_minute: Annotated[
        Count | None, Meta(description="Most calls in any 60 seconds.")
    ] = None
    tokens_per_minute: Annotated[
        Count | None, Meta(description="Most tokens, in and out, in any 60 seconds.")
    ] = None
    tokens_per_day: Annotated[
        Count | None, Meta(description="Most tokens, in and out, in a calendar day.")
    ] = None
    time_zone: Annotated[str, Meta(description="Where the day begins at midnight.")] = "UTC"
    concurrent: Annotated[Count | None, Meta(description="Most calls in flight.")] = None
    wait_s: Annotated[
        float,
        Meta(ge=0, le=600, description="How long a call may wait in line before it is refused."),
    ] = 0.0


class BudgetSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How much money may be spent. It is reserved at the worst case and settled exactly."""

    per: Annotated[Dimension | tuple[Dimension, ...], Meta(description=_PER)]
    of: Annotated[dict[Dimension, Pattern], Meta(description=_OF)] = {}
    usd: Annotated[
        Dollars | None, Meta(description='US dollars as text, such as `"100"`; needs a `window`.')
    ] = None
    window: Annotated[BudgetWindow | None, Meta(description="How long the amount is for.")] = None
    time_zone: Annotated[str, Meta(description="Where the window begins at midnight.")] = "UTC"
    max_call_usd: Annotated[
        Dollars | None, Meta(description="Most that one call may cost, at its worst.")
    ] = None
    soft_at: Annotated[
        Annotated[int, Meta(ge=1, le=99)] | None,
        Meta(
            description="Percentage from which calls go by `cheaper_route`; it is alerted on too."
        ),
    ] = None
    cheaper_route: Annotated[
        str | None,
        Meta(
            description="Route for calls beyond `soft_at`, and for those that no longer fit the"
            " budget by their own."
        ),
    ] = None
    at_limit: Annotated[
        AtLimit, Meta(description="What becomes of calls that it does not hold.")
    ] = "refuse"
    reviewers: Annotated[
        str | None,
        Meta(
            description="With `at_limit: ask`: the group of `reviews.groups` that is asked; else"
            " keys of the roles admin and operator."
        ),
    ] = None
    alerts_at: Annotated[
        tuple[Percent, ...], Meta(description="Percentages that are told once in each window.")
    ] = (50, 75, 90, 100)
    unpriced: Annotated[
        Unpriced, Meta(description="Whether models without a known price may be called, uncounted.")
    ] = "refuse"


class AllowanceSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How limits and budgets are kept."""

    assumed_output_tokens: Annotated[
        int,
        Meta(
            ge=1,
            le=1_000_000,
            description="What a call is taken to write at most, where it doesn't say.",
        ),
    ] = 4096
    cap_output: Annotated[
        bool,
        Meta(
            description="Sends `assumed_output_tokens` along as the most to be written, where a"
            " call that spends a budget states no limit; else such a call may cost more than was"
            " reserved."
        ),
    ] = False
    assumed_batch_usd: Annotated[
        Dollars | None,
        Meta(
            description="What a batch is taken to cost at most where its input file can't be read"
            " or names a model without a price; without it such a batch is refused where a budget"
            " applies."
        ),
    ] = None
    when_store_is_away: Annotated[
        WhenStoreIsAway,
        Meta(
            description="`refuse`: calls under a limit or budget get 503 while the database is"
            " away. `spend_leased`: what a process has leased may still be used."
        ),
    ] = "refuse"
    queue_calls: Annotated[
        int, Meta(ge=1, le=100_000, description="Calls that may wait in line in each process.")
    ] = 1000
