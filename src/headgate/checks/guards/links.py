"""The guard that takes links and images out of answers, but for hosts that the operator allows.

An image that is only shown already carries what stands in its address to whoever is its host.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from headgate.checks.guards.guard import Guard, Guarded, OutputFilter
from headgate.checks.guards.verdict import PASS, Verdict
from headgate.checks.injection.links.destination import AllowedLinks
from headgate.checks.injection.links.limiter import LinkLimiter
from headgate.checks.parts.json_strings import JsonStrings
from headgate.checks.parts.part import Part
from headgate.checks.parts.rewriting import TextFilter
from headgate.config.guards import Direction


class LinksGuard(Guard):
    """Limits links."""

    def __init__(self, name: str, allowed: AllowedLinks, **common: Any) -> None:
        super().__init__(name, **common)
        self._allowed = allowed

    def must_see(self, part: Part, direction: Direction, call: Guarded) -> bool:  # noqa: ARG002
        """See `Guard`; nobody follows a link in a picture or a recording by opening it."""
        return False

    async def check_output(self, parts: Sequence[Part], call: Guarded) -> Verdict:  # noqa: ARG002
        """See `Guard`."""
        count = 0
        for part in parts:
            if part.kind == "text" and part.role == "model":
                limited = _Limited(self._allowed, in_json=part.in_json)
                told = limited.feed(part.text) + limited.close()
                if limited.count:
                    part.text = told
                    count += limited.count
        return _verdict(count)

    def output_filter(self, part: Part, call: Guarded) -> OutputFilter:  # noqa: ARG002
        """See `Guard`."""
        return _Limited(self._allowed, in_json=part.in_json)


class _Limited(OutputFilter):
    """Limits the links of one text, whole or as it flows; in JSON those of each string."""

    def __init__(self, allowed: AllowedLinks, *, in_json: bool) -> None:
        self._allowed = allowed
        self._limiters: list[LinkLimiter] = []
        self._removed = 0
        """By limiters that are not in use any more."""
        self._text: TextFilter = JsonStrings(self._limiter) if in_json else self._limiter()

    @property
    def count(self) -> int:
        """How many were taken out so far."""
        return self._removed + sum(len(one.removed) for one in self._limiters)

    def feed(self, text: str) -> str:
        """See `TextFilter`."""
        return self._text.feed(text)

    def close(self) -> str:
        """See `TextFilter`."""
        return self._text.close()

    def verdict(self) -> Verdict:
        """See `OutputFilter`."""
        return _verdict(self.count)

    def _limiter(self) -> LinkLimiter:
        # Of the many strings of a document only the newest two are still in use.
        self._removed += sum(len(one.removed) for one in self._limiters[:-2])
        del self._limiters[:-2]
        self._limiters.append(LinkLimiter(self._allowed))
        return self._limiters[-1]


def _verdict(count: int) -> Verdict:
    return Verdict("change", reason="links", counts={"links": count}) if count else PASS
