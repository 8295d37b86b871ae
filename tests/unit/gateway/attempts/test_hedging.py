"""Of two attempts the first answer wins, and nothing of the other is left."""

from __future__ import annotations

import asyncio

import pytest

from headgate.errors import HeadgateError
from headgate.gateway.attempts.attempt import Failed, Whole
from headgate.gateway.attempts.hedging import race
from headgate.gateway.retries.policy import Failure

FAILED = Failed(Failure(status=500), HeadgateError("no"))


class Racer:
    """Ends after a while as it is told, or is cancelled."""

    def __init__(self, after_s: float, outcome: object) -> None:
        self.after_s = after_s
        self.outcome = outcome
        self.cancelled = False

    async def run(self):
        try:
            await asyncio.sleep(self.after_s)
        except asyncio.CancelledError:
            self.cancelled = True
            raise
        if isinstance(self.outcome, Exception):
            raise self.outcome
        return self.outcome


def answer() -> Whole:
    return Whole(reply=object(), body=b"{}")  # type: ignore[arg-type]


async def raced(first: Racer, second: Racer | None, after_s: float = 0.02):
    decided = []
    begun = []

    def begin():
        begun.append(True)
        return None if second is None else second.run()

    outcome = await race(first.run(), begin, after_s=after_s, decided=lambda: decided.append(True))
    assert decided == [True]
    return outcome, bool(begun)


async def test_a_quick_first_is_alone() -> None:
    first, second = Racer(0, answer()), Racer(0, answer())
    assert await raced(first, second) == ((first.outcome, False), False)


async def test_the_first_answer_wins_and_the_other_is_cancelled() -> None:
    first, second = Racer(5, answer()), Racer(0, answer())
    assert (await raced(first, second))[0] == (second.outcome, True)
    assert first.cancelled


async def test_a_failure_is_no_answer() -> None:
    first, second = Racer(0.1, answer()), Racer(0, FAILED)
    assert (await raced(first, second))[0] == (first.outcome, False)


async def test_where_both_fail_the_last_failure_is_told() -> None:
    other = Failed(Failure(status=503), HeadgateError("no"))
    first, second = Racer(0.05, FAILED), Racer(0.1, other)
    assert (await raced(first, second))[0] == (other, True)


async def test_where_there_is_no_second_the_first_is_waited_for() -> None:
    first = Racer(0.1, answer())
    assert (await raced(first, None))[0] == (first.outcome, False)


async def test_a_fault_is_raised_and_nothing_goes_on() -> None:
    first, second = Racer(5, answer()), Racer(0, ValueError("a fault"))
    with pytest.raises(ValueError, match="a fault"):
        await raced(first, second)
    assert first.cancelled


async def test_whoever_cancels_the_race_cancels_both() -> None:
    first, second = Racer(5, answer()), Racer(5, answer())
    task = asyncio.create_task(race(first.run(), second.run, after_s=0.01, decided=lambda: None))
    await asyncio.sleep(0.05)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert first.cancelled
    assert second.cancelled
