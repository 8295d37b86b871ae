"""One process's turns with the store: gathered, carried out one transaction at a time, handed on.

However many calls wait, there is never more than one transaction of a process under way; what is
asked for meanwhile goes into the next.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable
from contextlib import suppress

from headgate.errors import DatabaseUnavailableError
from headgate.ledger.allowances.clock import StoreClock
from headgate.ledger.allowances.share import Share, Turn
from headgate.ledger.allowances.store import MAX_TURNS, AllowanceStore, RowsGoneError
from headgate.storage.threads import StorageThreads
from headgate.telemetry.faults import log_fault

_log = logging.getLogger(__name__)

_TICK_S = 0.25
"""How often shares are looked through for what should go back, be renewed or be told."""

_RETRY_S = 0.2
"""Pause after a transaction that failed."""

_TURNED_BACK_US = 2_000_000
"""A store whose clock is further behind than was believed has been put back."""

_FORGET_EVERY_S = 600.0
_HANGING_S = 5.0
"""A transaction that takes longer means that the store is away."""


class Exchange:
    """The task that carries turns; `start()` and `stop()` it on the loop that makes the calls."""

    def __init__(
        self,
        store: AllowanceStore,
        clock: StoreClock,
        on_renewed: Callable[[Share], None],
        on_turned_back: Callable[[int], None] = lambda _: None,
    ) -> None:
        """Who is told of each share that was answered, and when the store's clock was put back."""
        self._store = store
        self._clock = clock
        self._on_renewed = on_renewed
        self._on_turned_back = on_turned_back
        self._threads = StorageThreads("allowances")
        self._wake = asyncio.Event()
        self._round = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._closing = False
        self._failed = False
        self._began_s: float | None = None
        self._again: deque[list[Turn]] = deque()
        """Turns whose transaction failed; they go first, each list for itself."""
        self.broken = 0
        """How many turns the store refused though it takes others."""
        self.active: dict[Share, None] = {}
        """Shares that may have something to tell or to ask for."""

    @property
    def failed(self) -> bool:
        """Whether the last transaction failed."""
        return self._failed

    @property
    def away(self) -> bool:
        """Whether the store does not answer."""
        began_s = self._began_s
        return self._failed or (
            began_s is not None and asyncio.get_running_loop().time() - began_s > _HANGING_S
        )

    def start(self) -> None:
        """Begin to carry turns."""
        self._task = asyncio.create_task(self._run(), name="headgate-allowances")

    async def stop(self, timeout_s: float) -> None:
        """Give everything back that calls do not hold, and end."""
        self._closing = True
        self._wake.set()
        if self._task is not None:
            with suppress(TimeoutError):
                async with asyncio.timeout(timeout_s):
                    await asyncio.shield(self._task)
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task
        self._threads.close()

    def nudge(self, share: Share) -> None:
        """Let `share` have a turn soon."""
        self.active[share] = None
        self._wake.set()

    async def next_round(self) -> None:
        """Wait until a transaction that begins from now on has ended, well or badly."""
        self._wake.set()
        await self._round.wait()

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        forget_at_s = loop.time() + _FORGET_EVERY_S
        while True:
            if not self._wake.is_set():
                with suppress(TimeoutError):
                    async with asyncio.timeout(_TICK_S):
                        await self._wake.wait()
            self._wake.clear()
            closing = self._closing
            done, self._round = self._round, asyncio.Event()
            carried = False
            try:
                carried = await self._carry(closing=closing)
            except Exception as fault:  # noqa: BLE001 - calls wait for this task: it must go on
                if not self._failed:
                    log_fault("allowances could not be exchanged", fault)
                self._note_failure("a fault of Headgate's own")
            finally:
                done.set()
            # Who waited decides by what was just answered, before the next turns are on their way.
            await asyncio.sleep(0)
            if self._failed:
                if closing:
                    return
                await asyncio.sleep(_RETRY_S)
                self._wake.set()
            elif closing and not carried:
                with suppress(DatabaseUnavailableError):
                    await self._threads.run(self._store.leave)
                return
            elif loop.time() >= forget_at_s:
                forget_at_s = loop.time() + _FORGET_EVERY_S
                with suppress(DatabaseUnavailableError):
                    await self._threads.run(self._store.forget_old)

    async def _carry(self, *, closing: bool) -> bool:
        """Carry out what there is to be carried out; return whether there was anything."""
        if not self._again:
            turns = self._gathered(closing=closing)
            if not turns:
                self._failed = False
                return False
            self._again.append(turns)
        turns = self._again[0]
        self._began_s = asyncio.get_running_loop().time()
        asked_at_us = self._clock.steady_us()
        try:
            exchanged = await self._threads.run(self._store.exchange, turns)
        except DatabaseUnavailableError as error:
            self._note_failure(error.message)
            return True
        except RowsGoneError:
            self._wake.set()
            return True
        except Exception as fault:  # noqa: BLE001 - drivers refuse a value in many ways
            await self._isolate(turns, fault)
            return True
        finally:
            self._began_s = None
        self._again.popleft()
        if self._again:
            self._wake.set()
        if self._failed:
            self._failed = False
            _log.warning("limits and budgets are counted again; the database answers")
        believed_us = self._clock.now_us()
        self._clock.set(exchanged.now_us, asked_at_us)
        if self._clock.now_us() < believed_us - _TURNED_BACK_US:
            self._on_turned_back(self._clock.now_us())
        for turn, answer in zip(turns, exchanged.answers, strict=True):
            if answer is None:
                turn.share.unanswered(turn)
            else:
                turn.share.answered(turn, answer, exchanged.now_us)
        for share in dict.fromkeys(turn.share for turn in turns):
            self._on_renewed(share)
            if share.demand > share.available or share.available < 0:
                self._wake.set()
        return True

    async def _isolate(self, turns: list[Turn], fault: Exception) -> None:
        """Find the turn that the store can't carry out, so that it holds up no other."""
        if len(turns) == 1:
            # Where the store carries out nothing at all this raises, and all wait for it to mend.
            await self._threads.run(self._store.exchange, [])
        self._again.popleft()
        self._wake.set()
        if len(turns) > 1:
            half = len(turns) // 2
            self._again.extendleft((turns[half:], turns[:half]))
            return
        (turn,) = turns
        share = turn.share
        self.broken += 1
        share.refused_by_store(turn, self._clock.now_us())
        _log.error(
            "an allowance can't be counted; its calls are refused and it is tried again",
            extra={
                "rule": share.rule.name,
                "subject": share.subject,
                "error": type(fault).__name__,
            },
        )

    def _gathered(self, *, closing: bool) -> list[Turn]:
        now_us = self._clock.now_us()
        turns: list[Turn] = []
        for share in list(self.active):
            if len(turns) >= MAX_TURNS:
                self._wake.set()
                break
            if closing or share.due(now_us):
                turns += share.turns(now_us, closing=closing)
                del self.active[share]
                if not closing:
                    # Behind the others, should there be too many for one transaction.
                    self.active[share] = None
            elif share.quiet:
                del self.active[share]
        return turns

    def _note_failure(self, reason: str) -> None:
        if not self._failed:
            self._failed = True
            _log.error("limits and budgets can't be counted", extra={"reason": reason})
