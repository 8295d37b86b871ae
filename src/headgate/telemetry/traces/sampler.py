"""Which traces are kept: a share of them, by their ids, or as whoever began them has decided.

Pure. By the id, so that every service that uses the same rule keeps the same traces.
"""

from __future__ import annotations

from headgate.telemetry.traces.lineage import Parent

_DECIDING_BITS = 64
"""The low half of a trace id, which every maker of ids fills by chance."""


class Sampler:
    """Keeps `share` (0 to 1) of the traces; where `follows_parent`, a parent's word goes first."""

    def __init__(self, share: float, *, follows_parent: bool = True) -> None:
        self._bound = round(share * (1 << _DECIDING_BITS))
        self._follows_parent = follows_parent

    def keeps(self, trace_id: str, parent: Parent | None) -> bool:
        """Whether what belongs to the trace `trace_id`, under `parent`, is kept."""
        if self._follows_parent and parent is not None and parent.sampled is not None:
            return parent.sampled
        return int(trace_id[-_DECIDING_BITS // 4 :], 16) < self._bound
