"""`routes:`: names that applications ask for as `model`, and the targets behind them."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from headgate.config.caching import RouteCacheSettings
from headgate.config.grading import ClassifierSettings
from headgate.config.table import Seconds, Share, Table

Strategy = Literal["in_order", "weighted", "cheapest", "fastest", "tiered"]
"""Which target is asked first.

- `in_order`: as they are written.
- `weighted`: one by chance, by its `weight`.
- `cheapest`: by the price list, for this request's estimated tokens.
- `fastest`: by how long each took of late to begin its answer.
- `tiered`: the first whose `when` fits the request.
"""

Complexity = Literal["low", "medium", "high"]
"""What the header `x-headgate-complexity` may say."""

Need = Literal["tools", "vision"]
"""What a request may ask of a model beyond text."""

Tokens = Annotated[int, Meta(ge=1)]
Weight = Annotated[int, Meta(ge=1, le=1_000_000)]


class WhenSettings(Table, frozen=True):
    """Which requests a target of a tiered route is for; all that is written must hold."""

    max_input_tokens: Annotated[
        Tokens | None, Meta(description="Most input tokens, estimated at four bytes each.")
    ] = None
    workflows: Annotated[
        tuple[str, ...], Meta(description="Patterns of the workflows whose calls these are.")
    ] = ()
    features: Annotated[
        tuple[str, ...], Meta(description="Patterns of what `x-headgate-feature` says.")
    ] = ()
    complexity: Annotated[
        tuple[Complexity, ...], Meta(description="What `x-headgate-complexity` says.")
    ] = ()
    grades: Annotated[tuple[str, ...], Meta(description="What the route's `classifier` says.")] = ()
    needs: Annotated[tuple[Need, ...], Meta(description="What the request makes use of.")] = ()
    without: Annotated[tuple[Need, ...], Meta(description="What the request makes no use of.")] = ()


class TargetSettings(Table, frozen=True):
    """One rung of a route."""

    provider: Annotated[str, Meta(description="A name from `providers`.")]
    model: Annotated[str, Meta(description="The model to ask that provider for.")]
    weight: Annotated[
        Weight | None,
        Meta(description="Of a weighted route: its part of the calls; else 1."),
    ] = None
    when: Annotated[
        WhenSettings | None, Meta(description="Of a tiered route; the last target has none.")
    ] = None


class LargerContextSettings(Table, frozen=True):
    """The target for requests that are too long for the others."""

    provider: Annotated[str, Meta(description="A name from `providers`.")]
    model: Annotated[str, Meta(description="The model to ask that provider for.")]


class HedgeSettings(Table, frozen=True):
    """When a second target is asked beside one that is slow to begin its answer.

    Only for calls that may be made twice: embeddings, moderations, and those whose client says
    `x-headgate-hedge: safe`. The first answer is used, the other call is broken off; a provider
    may charge for both.
    """

    after_s: Annotated[Seconds, Meta(description="How long the first is waited for.")]


class RouteSettings(Table, frozen=True):
    """A name that applications ask for as `model`."""

    targets: Annotated[
        tuple[TargetSettings, ...],
        Meta(min_length=1, description="The next one is used when one fails."),
    ]
    strategy: Annotated[
        Strategy,
        Meta(
            description="Who is asked first: as written, by chance, the cheapest for the request,"
            " the one that was fastest of late, or the first whose `when` fits."
        ),
    ] = "in_order"
    classifier: Annotated[
        ClassifierSettings | None,
        Meta(description="Of a tiered route whose targets ask for `grades`."),
    ] = None
    explore_share: Annotated[
        Share,
        Meta(description="Of a `fastest` route: calls that ask another target, to measure it."),
    ] = 0.05
    larger_context: Annotated[
        LargerContextSettings | None,
        Meta(description="Asked when a target says that the request is too long for its model."),
    ] = None
    hedge: Annotated[HedgeSettings | None, Meta(description="By default none.")] = None
    cache: Annotated[
        RouteCacheSettings | None,
        Meta(description="Without it, the route's calls go by `cache.when`."),
    ] = None

    @property
    def every_target(self) -> tuple[TargetSettings | LargerContextSettings, ...]:
        """Its targets, and the one for long requests where there is one."""
        return (*self.targets, *((self.larger_context,) if self.larger_context else ()))
