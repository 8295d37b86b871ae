"""By the price list, for the tokens that this request is estimated to take."""

from __future__ import annotations

from collections.abc import Callable

from headgate.gateway.strategies.traits import RequestTraits
from headgate.gateway.target import Target
from headgate.ledger.cost import Price


class Cheapest:
    """See `Strategy`; targets without a known price come last, in the order they are written."""

    def __init__(self, price_of: Callable[[Target], Price | None]) -> None:
        self._price_of = price_of

    def order(self, targets: tuple[Target, ...], traits: RequestTraits) -> tuple[Target, ...]:
        """See `Strategy`."""

        def rank(target: Target) -> tuple[bool, int]:
            price = self._price_of(target)
            if price is None:
                return True, 0
            return False, price.cost_nanousd(
                input_tokens=traits.input_tokens, output_tokens=traits.output_tokens
            )

        return tuple(sorted(targets, key=rank))
