"""Which models stand behind a name that is asked for, and what each costs, for estimates."""

from __future__ import annotations

import re
from collections.abc import Mapping
from fnmatch import fnmatchcase

from headgate.config.settings import ProviderSettings, Settings
from headgate.errors import ModelNotFoundError
from headgate.gateway.endpoints import ENDPOINTS
from headgate.ledger.cost import Price, Rates
from headgate.ledger.estimate import Candidate, Mix
from headgate.ledger.prices import PriceList

_DATE = re.compile(r"-\d{4}-\d{2}-\d{2}$")
_FREE = Price(
    version="free",
    rates=Rates(input=0, cached_input=0, cache_write=0, output=0, input_audio=0, output_audio=0),
)


class Candidates:
    """The routes, providers and prices of one configuration."""

    def __init__(self, settings: Settings, providers: Mapping[str, ProviderSettings]) -> None:
        self._routes = settings.routes
        self._providers = providers
        self._prices = PriceList(settings.prices)

    def behind(self, name: str) -> tuple[Candidate, ...]:
        """The targets of the route `name`, or else the model `name` of whoever serves it.

        `PROVIDER/MODEL` names one provider's. Raises `ModelNotFoundError` where nobody serves it.
        """
        if name in self._routes:
            return self.rungs(name)
        provider, slash, model = name.partition("/")
        if slash and provider in self._providers and model:
            return (self._candidate(provider, model),)
        for known, settings in self._providers.items():
            if any(fnmatchcase(name, pattern) for pattern in settings.models):
                return (self._candidate(known, name),)
        raise ModelNotFoundError(
            f"`{name[:64]}` is neither a route nor a model that a provider serves; the routes are"
            f" {', '.join(self._routes) or '(none)'}, the providers {', '.join(self._providers)}"
        )

    def rungs(self, name: str) -> tuple[Candidate, ...]:
        """The targets of the route `name`; none where there is no such route any more."""
        route = self._routes.get(name)
        return tuple(
            self._candidate(target.provider, target.model)
            for target in (() if route is None else route.targets)
            if target.provider in self._providers
        )

    def mix(self, name: str, *, input_tokens: int) -> Mix | None:
        """How the route `name` divides calls of such a size; None where the first has them."""
        route = self._routes.get(name)
        if route is None or len(route.targets) == 1:
            return None
        if route.strategy == "weighted":
            weights = tuple(target.weight or 1 for target in route.targets)
            return Mix(name=f"{name}, weighted", weights=weights)
        if route.strategy == "cheapest":
            return Mix(name=f"{name}, cheapest", weights=None)
        if route.strategy == "tiered":
            first = next(
                index for index, target in enumerate(route.targets)
                if target.when is None
                or target.when.max_input_tokens is None
                or input_tokens <= target.when.max_input_tokens
            )  # fmt: skip
            places = range(len(route.targets))
            weights = tuple(int(place == first) for place in places)
            return Mix(name=f"{name}, tiered", weights=weights) if first else None
        return None

    def undecided(self, name: str) -> str | None:
        """The strategy of the route `name`, where only each call decides by it."""
        route = self._routes.get(name)
        decided = route is None or route.strategy in ("in_order", "weighted", "cheapest")
        return None if decided or route is None else route.strategy

    def used(self, provider: str | None, model: str) -> Candidate:
        """What the ledger says answered; its provider may have left the configuration.

        A dated name without a price stands under the name without the date, where that has one.
        """
        dated = self._known_or_gone(provider, model)
        undated = self._known_or_gone(provider, _DATE.sub("", model))
        if self.price_of(dated, None) is None and self.price_of(undated, None) is not None:
            return undated
        return dated

    def price_of(self, candidate: Candidate, tier: str | None) -> Price | None:
        """The price now, as the ledger would reckon; None where none is known."""
        if any(
            fnmatchcase(candidate.model, pattern)
            for endpoint in ENDPOINTS.values()
            for pattern in endpoint.free_models
            # What is free at one endpoint only, whatever the model, is not what is estimated.
            if pattern != "*"
        ):
            return _FREE
        return self._prices.price_of(
            candidate.price_list, candidate.price_address, candidate.model, tier
        )

    def _known_or_gone(self, provider: str | None, model: str) -> Candidate:
        if provider is not None and provider in self._providers:
            return self._candidate(provider, model)
        name = provider or "unknown"
        return Candidate(provider=name, price_list=name, price_address="", model=model)

    def _candidate(self, provider: str, model: str) -> Candidate:
        price_list, price_address = self._providers[provider].price_list(provider)
        return Candidate(
            provider=provider, price_list=price_list, price_address=price_address, model=model
        )
