"""The guard that takes links and images out of answers, but for hosts that the operator allows.

An image that is only shown already carries what stands in its address to whoever is its host.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from headgate.checks.guards.guard import Guard, Guarded, OutputFilter
from headgate.checks.guards.verdict import PASS, Verdict
from headgate.checks.injection.links.destination import AllowedLinks
from headgate.checks.injection.links.limiter import LinkLimiter, limited
from headgate.checks.parts.part import Part
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
                told, removed = limited(part.text, self._allowed)
                if removed:
                    part.text = told
                    count += len(removed)
        return _verdict(count)

    def output_filter(self, part: Part, call: Guarded) -> OutputFilter:  # noqa: ARG002
        """See `Guard`."""
        return _Limited(self._allowed)


class _Limited(OutputFilter):
    """Limits the links of one text that flows."""

    def __init__(self, allowed: AllowedLinks) -> None:
        self._limiter = LinkLimiter(allowed)

    def feed(self, text: str) -> str:
        """See `TextFilter`."""
        return self._limiter.feed(text)

    def close(self) -> str:
        """See `TextFilter`."""
        return self._limiter.end()

    def verdict(self) -> Verdict:
        """See `OutputFilter`."""
        return _verdict(len(self._limiter.removed))


def _verdict(count: int) -> Verdict:
    return Verdict("change", reason="links", counts={"links": count}) if count else PASS
