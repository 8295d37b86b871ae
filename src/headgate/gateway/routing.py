"""Which targets a model's name stands for, in the order in which they are tried."""

from __future__ import annotations

import time
from collections.abc import Mapping
from random import random

from headgate.config.failures import BreakerSettings
from headgate.config.routes import LargerContextSettings, RouteSettings, TargetSettings
from headgate.errors import InvalidRequestError, ModelNotFoundError
from headgate.gateway.health.health import TargetHealth
from headgate.gateway.provider import Provider
from headgate.gateway.strategies import Cheapest, Fastest, Strategy, Tiered, Weighted
from headgate.gateway.target import Target
from headgate.ledger.cost import Price
from headgate.ledger.prices import PriceList

WORKFLOW_PREFIX = "workflow:"
"""What a model's name begins with that is a workflow's; no provider is asked for such."""

_MAX_REMEMBERED = 4096


class Route:
    """A name that applications ask for, and what it leads to."""

    __slots__ = ("grades", "hedge_after_s", "larger_context", "name", "strategy", "targets")

    def __init__(
        self,
        name: str | None,
        targets: tuple[Target, ...],
        strategy: Strategy | None = None,
        larger_context: Target | None = None,
        hedge_after_s: float | None = None,
        *,
        grades: bool = False,
    ) -> None:
        self.name = name
        """None: the model was named itself."""
        self.targets = targets
        """As they are written."""
        self.strategy = strategy
        """None: they are tried as they are written."""
        self.larger_context = larger_context
        self.hedge_after_s = hedge_after_s
        self.grades = grades
        """Whether it has a classifier that grades requests."""


class Routing:
    """The routes and providers of the configuration."""

    def __init__(
        self,
        providers: Mapping[str, Provider],
        routes: Mapping[str, RouteSettings],
        breaker: BreakerSettings,
        prices: PriceList,
        *,
        default_models: Mapping[str, str] | None = None,
        keeper: str | None = None,
    ) -> None:
        """`default_models` are what requests without a model are taken to ask for, by endpoint.

        `keeper` is the provider that gets those which no default is for; None: the first that can.
        """
        self.providers = providers
        self.default_models = default_models or {}
        self._keeper = keeper
        self._breaker = breaker
        self._prices = prices
        self._health: dict[tuple[str, str], TargetHealth] = {}
        """Of the routes' targets: those that name the same model share it."""
        self.routes = {name: self._route(name, route) for name, route in routes.items()}
        self.takes_fault_hints = any(p.takes_fault_hints for p in providers.values())
        """Whether `x-simulator-fault` may be handed on at all."""
        self.has_limits = any(p.is_limited for p in providers.values())
        """Whether there is a provider that can't do all that may be asked."""
        self._plain: dict[str, Route] = {}

    def route(self, model: str) -> Route:
        """What `model`, a route's or a model's name, leads to; `ModelNotFoundError` if nothing.

        Where it is "", the provider chooses: whom that can be left to, in order of preference.
        """
        found = self.routes.get(model) or self._plain.get(model)
        if found:
            return found
        if not model:
            self._plain[""] = found = self._unnamed()
            return found
        if model.startswith(WORKFLOW_PREFIX):
            raise ModelNotFoundError(
                f"`{model[:64]}` is a workflow, and those answer on /v1/chat/completions and"
                " /v1/responses only; name a model or a route here.",
                param="model",
            )
        provider = next((p for p in self.providers.values() if p.serves(model)), None)
        if provider is None or not model.isprintable() or len(model) > 256:
            raise ModelNotFoundError(
                f"The model `{model[:64]}` is neither a route nor served by a provider here;"
                " GET /v1/models lists those that are.",
                param="model",
            )
        if len(self._plain) >= _MAX_REMEMBERED:
            self._plain.clear()
        health = self._health.get((provider.name, model)) or self._new_health(provider, model)
        self._plain[model] = found = Route(None, (Target(provider, model, None, health),))
        return found

    def _unnamed(self) -> Route:
        # One that is set to serve certain models only must not be led to others in this way.
        names = [self._keeper] if self._keeper is not None else list(self.providers)
        known = [self.providers[name] for name in names if name in self.providers]
        able = [one for one in known if one.serves("") and not one.dialect.translates]
        if not able:
            raise InvalidRequestError(
                "The field `model` is missing, and no provider here can be left to choose one: name"
                " a model, a route or a workflow.",
                param="model",
                code="missing_required_parameter",
            )
        return Route(None, tuple(Target(p, "", None, self._new_health(p, "")) for p in able))

    def _route(self, name: str, settings: RouteSettings) -> Route:
        larger = settings.larger_context
        return Route(
            name,
            tuple(self._target(target, name) for target in settings.targets),
            self._strategy(settings),
            None if larger is None else self._target(larger, name),
            None if settings.hedge is None else settings.hedge.after_s,
            grades=settings.classifier is not None,
        )

    def _strategy(self, settings: RouteSettings) -> Strategy | None:
        match settings.strategy:
            case "weighted":
                return Weighted(tuple(target.weight or 1 for target in settings.targets), random)
            case "cheapest":
                return Cheapest(self._price_of)
            case "fastest":
                return Fastest(settings.explore_share, random, time.monotonic)
            case "tiered":
                rules = tuple(target.when for target in settings.targets)
                return Tiered(rules, settings.classifier)
            case "in_order":
                return None

    def _price_of(self, target: Target) -> Price | None:
        provider = target.provider
        return self._prices.price_of(
            provider.price_list, provider.price_address, target.model, None
        )

    def _target(self, settings: TargetSettings | LargerContextSettings, route: str) -> Target:
        provider = self.providers[settings.provider]
        key = (provider.name, settings.model)
        health = self._health.get(key)
        if health is None:
            health = self._health[key] = self._new_health(provider, settings.model)
        return Target(provider, settings.model, route, health)

    def _new_health(self, provider: Provider, model: str) -> TargetHealth:
        return TargetHealth(f"{provider.name}/{model}".removesuffix("/"), self._breaker)
