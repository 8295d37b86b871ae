"""In which order a route's targets are tried for one request."""

from __future__ import annotations

from typing import Protocol

from headgate.gateway.strategies.traits import RequestTraits
from headgate.gateway.target import Target


class Strategy(Protocol):
    """One kind of route.

    To add one: a file here, its name in `config.routes`, a case in `gateway.routing`.
    """

    def order(self, targets: tuple[Target, ...], traits: RequestTraits) -> tuple[Target, ...]:
        """`targets`, as they are written, in the order in which they are to be tried."""
