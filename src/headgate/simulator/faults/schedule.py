"""Which of the planned faults strikes a request, by what came before it."""

from __future__ import annotations

import hashlib
from collections import OrderedDict

from headgate.simulator.faults.fault import Fault, PlannedFault

MAX_BODIES = 10_000
"""How many bodies are remembered for `first`; beyond it the one unused longest is new again."""

MAX_COUNTERS = 1_000
"""How many faults' requests are counted for `every` and `rate`."""


class FaultSchedule:
    """Counts requests, so that `first`, `every` and `rate` know their turn."""

    def __init__(self) -> None:
        self._by_body: OrderedDict[tuple[str, bytes], int] = OrderedDict()
        self._by_fault: OrderedDict[str, int] = OrderedDict()

    def next_fault(self, planned: tuple[PlannedFault, ...], body: bytes) -> Fault | None:
        """The first of `planned` whose turn it is for a request with this `body`.

        All of them count the request, whichever strikes.
        """
        if not planned:
            return None
        digest = hashlib.blake2b(body, digest_size=16).digest()
        # A list, not a generator: each must count.
        struck = [one for one in planned if self._is_due(one, digest)]
        return struck[0].fault if struck else None

    def _is_due(self, planned: PlannedFault, digest: bytes) -> bool:
        when = planned.when
        match when.rule:
            case "always":
                return True
            case "first":
                return self._counted(planned.written, digest) <= when.number
            case "once":
                return self._count(planned.written) <= when.number
            case "every":
                return self._count(planned.written) % int(when.number) == 0
            case "rate":
                turn = f"{planned.written}:{self._count(planned.written)}".encode()
                share = hashlib.blake2b(turn, digest_size=4).digest()
                return int.from_bytes(share) / 2**32 < when.number

    def _counted(self, written: str, digest: bytes) -> int:
        key = (written, digest)
        self._by_body[key] = self._by_body.get(key, 0) + 1
        self._by_body.move_to_end(key)
        if len(self._by_body) > MAX_BODIES:
            self._by_body.popitem(last=False)
        return self._by_body[key]

    def _count(self, written: str) -> int:
        self._by_fault[written] = self._by_fault.get(written, 0) + 1
        self._by_fault.move_to_end(written)
        if len(self._by_fault) > MAX_COUNTERS:
            self._by_fault.popitem(last=False)
        return self._by_fault[written]
