"""A target: a provider and a model of it, and how it fares."""

from __future__ import annotations

from headgate.gateway.health.health import TargetHealth
from headgate.gateway.provider import Provider


class Target:
    """One rung of a route, or a model that was named itself."""

    __slots__ = ("health", "model", "name", "provider", "route")

    def __init__(
        self, provider: Provider, model: str, route: str | None, health: TargetHealth
    ) -> None:
        self.provider = provider
        self.health = health
        self.model = model
        """"" where the request leaves it to the provider."""
        self.route = route
        """The route that led here, or None where the model was named itself."""
        name = f"{provider.name}/{model}" if model else provider.name
        self.name = name.encode("ascii", "replace")
        """For the header `x-headgate-target`."""

    def is_same(self, other: Target) -> bool:
        """Whether both are one model of one provider, wherever they stand."""
        return self.provider is other.provider and self.model == other.model
