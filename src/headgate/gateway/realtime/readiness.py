"""A reservation kept ready for what a provider may do by itself, of sound that it hears."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from headgate.gateway.call import Call
from headgate.gateway.endpoints.realtime import REALTIME
from headgate.gateway.request import Request
from headgate.gateway.spending import Spending
from headgate.gateway.target import Target
from headgate.gateway.worst_case import Turn
from headgate.ledger.allowances.reservation import Reservation

AHEAD_TOKENS = 600
"""What is reserved for the sound that is yet to come: a minute of it."""

_READY_S = 60.0
"""How long a reservation is kept; then it is made anew, in the window that holds then."""


class _Held(msgspec.Struct, frozen=True):
    call: Call
    turn: Turn
    made_at_s: float


class Readiness:
    """What is kept ready for one kind of thing: at most one call that nobody has asked for yet."""

    def __init__(self, new_call: Callable[[], Call], spending: Spending | None) -> None:
        self._new_call = new_call
        self._spending = spending
        self._held: _Held | None = None

    async def hold(self, target: Target, wanted: Turn, held: Turn, now_s: float) -> None:
        """See to it that a reservation for `wanted` is there; a new one is made for `held`.

        Raises what `Spending.reserve_turn` does; then nothing is kept.
        """
        if self._spending is None or self._is_good(wanted, now_s):
            return
        self.let_go()
        call = self._new_call()
        request = Request(REALTIME, {}, target.model, streamed=True)
        await self._spending.reserve_turn(call, request, target, held)
        # Another may have been made meanwhile.
        self.let_go()
        self._held = _Held(call, held, now_s)

    def take(self) -> Reservation | None:
        """What was kept ready, for good; None where nothing is."""
        held, self._held = self._held, None
        return None if held is None else held.call.reservation

    def let_go(self) -> None:
        """Give back what is kept."""
        held, self._held = self._held, None
        if held is not None and self._spending is not None:
            self._spending.settle(held.call)

    def _is_good(self, wanted: Turn, now_s: float) -> bool:
        """Whether what is kept is young and large enough."""
        held = self._held
        if held is None or now_s - held.made_at_s > _READY_S:
            return False
        return held.turn.most_tokens >= wanted.most_tokens and (held.turn.hears or not wanted.hears)


def transcript_turn() -> Turn:
    """What writing down a minute of sound may take."""
    return Turn(
        likely_tokens=AHEAD_TOKENS,
        most_tokens=AHEAD_TOKENS,
        output_tokens=AHEAD_TOKENS,
        hears=True,
        speaks=False,
    )
