"""What the store is still to be told of periods that have ended, until the next turn tells it."""

from __future__ import annotations

from headgate.ledger.allowances.window import Period


class PastPeriods:
    """What came back to a share and what its calls used, by the period that it counts in."""

    __slots__ = ("_untold",)

    def __init__(self) -> None:
        self._untold: dict[Period, tuple[int, int]] = {}

    def __bool__(self) -> bool:
        return bool(self._untold)

    def note(self, period: Period, *, back: int, spent: int = 0) -> None:
        """Add to what is to be told of `period`."""
        known_back, known_spent = self._untold.get(period, (0, 0))
        self._untold[period] = known_back + back, known_spent + spent

    def note_from(self, start_us: int, *, back: int, spent: int) -> None:
        """As `note`, of the period that began at `start_us`, whenever it ended."""
        for period in self._untold:
            if period.start_us == start_us:
                self.note(period, back=back, spent=spent)
                return
        self.note(Period(start_us, start_us), back=back, spent=spent)

    def taken(self) -> list[tuple[Period, int, int]]:
        """Each period with what came back and what was used, told once."""
        untold, self._untold = self._untold, {}
        return [(period, back, spent) for period, (back, spent) in untold.items()]
