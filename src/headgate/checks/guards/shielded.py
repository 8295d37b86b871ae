"""What becomes of a streamed text when the filter of a guard fails on it.

A guard may be anybody's code. One that must not fail ends the stream; one whose operator lets
failures by hands the rest of the text on unchecked, and its verdict says so.
"""

from __future__ import annotations

import asyncio
import time
from typing import Any

from headgate.checks.guards.guard import BlockedError, Guard, OutputFilter
from headgate.checks.guards.verdict import Verdict
from headgate.errors import GuardFailedError
from headgate.telemetry.faults import log_fault

EXITS = (SystemExit, KeyboardInterrupt, asyncio.CancelledError)
"""What a guard's own code may raise beside exceptions, where nothing is waited for: it has failed
like any other, and neither the server nor its call is to end."""


def guard_failed(guard: Guard, failure: str) -> GuardFailedError:
    """What a caller is told where `guard` could not tell; `failure` says how it failed."""
    return GuardFailedError(
        f"The guard `{guard.name}` {failure}, so the call is refused: what can't be checked does"
        " not go out. Try again, or ask whoever runs this server."
    )


def failure_of(fault: BaseException) -> str:
    """How a guard failed; not what the exception says, which may quote contents."""
    return f"failed ({type(fault).__name__})"


class ShieldedFilter(OutputFilter):
    """One filter of one guard; its verdict is the guard's, whatever the filter itself would say."""

    def __init__(self, guard: Guard, inner: OutputFilter) -> None:
        self.guard = guard
        self.took_ns = 0
        """How long it has worked on the text."""
        self._inner = inner
        self._held: str | None = ""
        """What went in and has not come out; None once that is not known, as it was rewritten."""
        self._failure: str | None = None
        self._stop: Verdict | None = None

    def feed(self, text: str) -> str:
        """See `TextFilter`. Raises `GuardFailedError` where it failed and must not."""
        if self._failure is not None:
            return self._left() + text
        began_ns = time.perf_counter_ns()
        try:
            told = _text(self._inner.feed(text))
        except BlockedError as stop:
            self._stop = stop.verdict
            raise
        except (Exception, *EXITS) as fault:  # noqa: BLE001 - whatever a guard raises, it has failed
            return self._failed(text, fault)
        finally:
            self.took_ns += time.perf_counter_ns() - began_ns
        self._note(text, told)
        return told

    def close(self) -> str:
        """See `TextFilter`. Raises as `feed` does."""
        if self._failure is not None:
            return self._left()
        began_ns = time.perf_counter_ns()
        try:
            return _text(self._inner.close())
        except BlockedError as stop:
            self._stop = stop.verdict
            raise
        except (Exception, *EXITS) as fault:  # noqa: BLE001 - as above
            return self._failed("", fault)
        finally:
            self.took_ns += time.perf_counter_ns() - began_ns

    def ahead(self, text: str) -> str:
        """Have what is held back judged now, and what the filters before it hold: `text`.

        Returns both. Raises as `feed` does.
        """
        if self._failure is not None:
            return text
        text = (self._held or "") + text
        began_ns = time.perf_counter_ns()
        try:
            self._inner.look(text)
        except BlockedError as stop:
            self._stop = stop.verdict
            raise
        except (Exception, *EXITS) as fault:  # noqa: BLE001 - as above
            self._note_failure(fault)
        finally:
            self.took_ns += time.perf_counter_ns() - began_ns
        return text

    def verdict(self) -> Verdict:
        """See `OutputFilter`."""
        if self._stop is not None:
            return self._stop
        if self._failure is not None:
            return Verdict("failed", reason=self._failure)
        try:
            told: Any = self._inner.verdict()
        except (Exception, *EXITS) as fault:  # noqa: BLE001 - the text has gone out; it is noted
            log_fault(f"guard {self.guard.name} failed", fault)
            return Verdict("failed", reason=failure_of(fault))
        if not isinstance(told, Verdict):
            return Verdict("failed", reason="returned no verdict")
        verdict: Verdict = told
        return verdict

    async def settle(self) -> None:
        """See `OutputFilter`."""
        if self._failure is not None:
            return
        try:
            await self._inner.settle()
        except BlockedError as stop:
            self._stop = stop.verdict
            raise

    def abandon(self) -> None:
        """See `OutputFilter`."""
        self._inner.abandon()

    def fail(self, failure: str) -> None:
        """Note that it could not tell in time. Raises `GuardFailedError` where it must not."""
        self._failure = failure
        if self.guard.on_error == "block":
            raise guard_failed(self.guard, failure)

    def _note(self, text: str, told: str) -> None:
        if self._held is not None:
            known = self._held + text
            self._held = known[len(told) :] if known.startswith(told) else None

    def _failed(self, text: str, fault: BaseException) -> str:
        self._note_failure(fault)
        return self._left() + text

    def _note_failure(self, fault: BaseException) -> None:
        log_fault(f"guard {self.guard.name} failed", fault)
        self.fail(failure_of(fault))
        if self._held is None:
            # What it held back is lost, and a text with a hole would look complete.
            raise guard_failed(self.guard, "failed with a part of the text")

    def _left(self) -> str:
        """What the filter held back when it failed, once."""
        held, self._held = self._held, ""
        return held or ""


def _text(told: Any) -> str:
    """What a filter let go. Raises `TypeError` where that is no text."""
    if not isinstance(told, str):
        raise TypeError(type(told).__name__)
    return told
