"""The filters that one streamed text goes through, one behind the other."""

from __future__ import annotations

from headgate.checks.guards.shielded import ShieldedFilter
from headgate.checks.redaction.restorer import Restorer


class FilterChain:
    """Those of guards, and what puts hidden values back after them."""

    __slots__ = ("_filters", "_heard", "_restorer")

    def __init__(
        self, filters: list[ShieldedFilter], restorer: Restorer | None, *, heard: bool
    ) -> None:
        """`heard`: the text is spoken too, so that it can't wait for its judgement."""
        self._filters = filters
        self._restorer = restorer
        self._heard = heard

    def feed(self, text: str) -> str:
        """See `TextFilter`."""
        for one in self._filters:
            text = one.feed(text)
        if self._heard:
            ahead = ""
            for one in self._filters:
                ahead = one.ahead(ahead)
        return text if self._restorer is None else self._restorer.feed(text)

    def close(self) -> str:
        """See `TextFilter`."""
        text = ""
        for one in self._filters:
            text = one.feed(text) + one.close()
        return (
            text if self._restorer is None else self._restorer.feed(text) + self._restorer.close()
        )
