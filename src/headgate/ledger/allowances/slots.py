"""In which slot or period of the store's the units of a share count: what comes back goes there.

A minute's window slides over slots, and only the store's answer says into which of them a turn
fell. So units are stamped when they are reserved, and a stamp learns its slot with the answer.
"""

from __future__ import annotations


class Stamp:
    """Marks which slot or period of the store some units were taken in."""

    __slots__ = ("slot",)

    def __init__(self, slot: int | None = None) -> None:
        self.slot = slot
        """None: to be known after the next turn; -1: never, as its answer was lost."""


class Slots:
    """Of a share of a minute's rule: the stamps that wait for their slots, and what goes back."""

    __slots__ = ("_idle", "_late", "_refunds", "_sent", "_unsent", "current", "moves")

    def __init__(self) -> None:
        self.current: int | None = None
        """The slot of the last turn."""
        self.moves = 0
        """Units in that slot that the next turn moves to its own."""
        self._idle = 0
        """What the share held, unused, when its turn was sent."""
        self._late = 0
        """What has come back of the turn's slot since."""
        self._refunds: dict[int, int] = {}
        """What has come back of earlier slots, by slot; it is the store's again."""
        self._unsent: list[Stamp] = []
        """Stamps of what was reserved since the last turn was sent."""
        self._sent: list[Stamp] = []
        """Those of before, which its answer will tell the slot of."""

    def restart(self) -> Stamp:
        """The stamp of what is reserved from now on, where nothing is known of what was before."""
        self.current = None
        self.moves = self._late = 0
        stamp = Stamp()
        self._unsent = [*self._unsent, stamp] if self._sent else [stamp]
        return stamp

    def sent(self, idle: int) -> Stamp:
        """A turn is on its way, with so much `idle`: the stamp of what is reserved from now on."""
        self._idle = idle
        self._late = 0
        stamp = Stamp()
        self._sent, self._unsent = self._unsent, [stamp]
        return stamp

    def answered(self, slot: int | None, granted: int) -> None:
        """The turn fell into `slot`, and what the share holds counts there now."""
        self._tell(slot)
        self.current = slot
        self.moves = self._idle + granted + self._late
        self._late = 0

    def lost(self) -> Stamp:
        """The turn's answer was lost: as `restart`, and what was stamped before is given up."""
        self._tell(-1)
        return self.restart()

    def came_back(self, stamp: Stamp, amount: int) -> bool:
        """Take in what was not used of units with this stamp; whether the share has it again."""
        if stamp.slot is None or stamp.slot == self.current:
            self._late += amount
            return True
        self._refunds[stamp.slot] = self._refunds.get(stamp.slot, 0) + amount
        return False

    def taken_refunds(self) -> tuple[tuple[int, int], ...]:
        """What goes back to earlier slots, told once."""
        refunds, self._refunds = tuple(self._refunds.items()), {}
        return refunds

    @property
    def has_refunds(self) -> bool:
        """Whether something is to go back to earlier slots."""
        return bool(self._refunds)

    @property
    def waiting(self) -> bool:
        """Whether stamps wait for the answer of a turn."""
        return bool(self._sent)

    def _tell(self, slot: int | None) -> None:
        for stamp in self._sent:
            stamp.slot = slot
        self._sent = []
