"""Which targets a model's name stands for, in the order in which they are tried."""

from __future__ import annotations

from collections.abc import Mapping

from headgate.config.failures import BreakerSettings
from headgate.config.settings import RouteSettings
from headgate.errors import ModelNotFoundError
from headgate.gateway.health import TargetHealth
from headgate.gateway.provider import Provider

_MAX_REMEMBERED = 4096


class Target:
    """A provider and a model of it."""

    __slots__ = ("health", "model", "name", "provider", "route")

    def __init__(
        self, provider: Provider, model: str, route: str | None, health: TargetHealth
    ) -> None:
        self.provider = provider
        self.health = health
        self.model = model
        self.route = route
        """The route that led here, or None where the model was named itself."""
        self.name = f"{provider.name}/{model}".encode("ascii", "replace")
        """For the header `x-headgate-target`."""


class Routing:
    """The routes and providers of the configuration."""

    def __init__(
        self,
        providers: Mapping[str, Provider],
        routes: Mapping[str, RouteSettings],
        breaker: BreakerSettings,
    ) -> None:
        self.providers = providers
        self._breaker = breaker
        self._health: dict[tuple[str, str], TargetHealth] = {}
        """Of the routes' targets: those that name the same model share it."""
        self.routes = {
            name: tuple(self._target(providers[t.provider], t.model, name) for t in route.targets)
            for name, route in routes.items()
        }
        self.takes_fault_hints = any(p.takes_fault_hints for p in providers.values())
        """Whether `x-simulator-fault` may be handed on at all."""
        self.has_limits = any(p.is_limited for p in providers.values())
        """Whether there is a provider that can't do all that may be asked."""
        self._plain: dict[str, tuple[Target, ...]] = {}

    def _target(self, provider: Provider, model: str, route: str) -> Target:
        key = (provider.name, model)
        health = self._health.get(key)
        if health is None:
            health = self._health[key] = self._new_health(provider, model)
        return Target(provider, model, route, health)

    def _new_health(self, provider: Provider, model: str) -> TargetHealth:
        return TargetHealth(f"{provider.name}/{model}", self._breaker)

    def targets(self, model: str) -> tuple[Target, ...]:
        """The targets of `model`, a route's or a model's name; `ModelNotFoundError` if none."""
        found = self.routes.get(model) or self._plain.get(model)
        if found:
            return found
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
        self._plain[model] = found = (Target(provider, model, None, health),)
        return found
