"""Gives a guard its time, and no more: whatever its code raises or waits for, the call goes on."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Coroutine
from typing import Any, TypeVar

from headgate.checks.guards.guard import Guard
from headgate.checks.guards.shielded import failure_of
from headgate.telemetry.faults import log_fault

_T = TypeVar("_T")

_LEFT_AT_MOST = 64
"""Checks of one guard that were cancelled and have not ended; with more it fails at once."""


async def in_its_time(guard: Guard, work: Coroutine[Any, Any, _T]) -> tuple[_T | None, str | None]:
    """What `work` of `guard` gives, or how it failed."""
    late = f"took longer than {guard.timeout_s:g} s"
    if len(guard.left_behind) >= _LEFT_AT_MOST:
        work.close()
        return None, "has checks that do not end"
    began_s = time.monotonic()
    try:
        if guard.foreign:
            told = await _in_a_task(guard, work)
        else:
            async with asyncio.timeout(guard.timeout_s):
                told = await work
    except TimeoutError:
        return None, late
    except BaseException as fault:
        if isinstance(fault, GeneratorExit) or _cancelled(fault):
            raise
        log_fault(f"guard {guard.name} failed", fault)
        return None, failure_of(fault)
    # One that never waited could not be stopped; its verdict comes too late all the same.
    return (told, None) if time.monotonic() - began_s <= guard.timeout_s else (None, late)


async def _in_a_task(guard: Guard, work: Coroutine[Any, Any, _T]) -> _T:
    """What `work` gives; anybody's code may go on when it is cancelled, so it is left behind.

    Raises what it raises, and `TimeoutError`.
    """
    task = asyncio.get_running_loop().create_task(_caught(work))
    try:
        ended, _ = await asyncio.wait({task}, timeout=guard.timeout_s)
    finally:
        task.cancel()
    if not ended:
        guard.left_behind.add(task)
        task.add_done_callback(guard.left_behind.discard)
        raise TimeoutError
    told, fault = task.result()
    if fault is not None:
        raise fault
    return told  # type: ignore[return-value]  # there is one where there is no fault


async def _caught(work: Coroutine[Any, Any, _T]) -> tuple[_T | None, BaseException | None]:
    """What `work` gives or raises: an exit out of a task would end the server."""
    try:
        return await work, None
    except GeneratorExit:
        raise
    except BaseException as fault:  # noqa: BLE001 - handed on to whoever waits
        return None, fault


def _cancelled(fault: BaseException) -> bool:
    """Whether it is the call that was cancelled, not the guard that says so."""
    task = asyncio.current_task()
    return (
        isinstance(fault, asyncio.CancelledError) and task is not None and bool(task.cancelling())
    )
