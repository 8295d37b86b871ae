"""Takes in calls and runs that have ended, and sends their spans on a thread of its own.

Nothing waits for it: calls come from the ledger's writer, after their commit. The queue is bounded;
what does not fit is dropped, counted and said.
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Iterable, Sequence
from typing import Protocol

from headgate.telemetry.faults import log_fault
from headgate.telemetry.trace_metrics import TraceMetrics
from headgate.telemetry.traces.call_spans import CallSpans, TracedCall
from headgate.telemetry.traces.run_span import TracedRun, run_span
from headgate.telemetry.traces.sampler import Sampler
from headgate.telemetry.traces.span import Span

_log = logging.getLogger(__name__)

_BATCH_ENTRIES = 200
"""Calls and runs whose spans are sent at once."""
_INTERVAL_S = 0.5
"""How long a span waits for others, so that few requests carry many."""


class Sender(Protocol):
    """Something that sends spans."""

    def send(self, spans: Sequence[Span]) -> bool:
        """Whether `spans` were accepted; may block for its own timeout."""

    def close(self) -> None:
        """Give up what is under way."""


class Tracer:
    """A queue of calls and runs, at most `queue_entries` of them, and the thread that sends."""

    def __init__(
        self,
        sampler: Sampler,
        call_spans: CallSpans,
        sender: Sender,
        metrics: TraceMetrics,
        *,
        queue_entries: int,
    ) -> None:
        self._sampler = sampler
        self._call_spans = call_spans
        self._sender = sender
        self._metrics = metrics
        self._bound_entries = queue_entries
        # Appended to by the writer's thread and the event loop, emptied by this one: a deque's
        # own operations are whole, so none needs a lock.
        self._calls: deque[TracedCall] = deque()
        self._runs: deque[TracedRun] = deque()
        self._wake = threading.Event()
        self._stopping = False
        self._dropping = False
        self._failing = False
        self._thread = threading.Thread(target=self._send_all, name="traces", daemon=True)

    def start(self) -> None:
        """Begin to send."""
        self._thread.start()

    def note_calls(self, calls: Iterable[TracedCall]) -> None:
        """Take in calls that have ended; those of traces that are not kept are passed over."""
        for call in calls:
            if self._sampler.keeps(call.trace_id, call.parent) and self._has_room(
                1 + call.attempts
            ):
                self._calls.append(call)
        if len(self._calls) >= _BATCH_ENTRIES:
            self._wake.set()

    def note_run(self, run: TracedRun) -> None:
        """Take in a run that has ended."""
        if self._sampler.keeps(run.trace_id, run.parent) and self._has_room(1):
            self._runs.append(run)

    def close(self, timeout_s: float) -> None:
        """Send what is left, for at most `timeout_s`. Blocks."""
        self._stopping = True
        self._wake.set()
        if self._thread.is_alive():
            self._thread.join(timeout_s)
        self._sender.close()
        left = len(self._calls) + len(self._runs)
        if left:
            _log.warning("traces were not sent before the stop", extra={"entries": left})

    def _has_room(self, spans: int) -> bool:
        if len(self._calls) + len(self._runs) < self._bound_entries:
            return True
        self._metrics.lost("queue_full", spans)
        if not self._dropping:
            self._dropping = True
            _log.warning("traces are dropped: more come than the collector takes")
        return False

    def _send_all(self) -> None:
        while True:
            self._wake.clear()
            # Read before the queue is taken, so that the last round comes after the last entry.
            stopping = self._stopping
            while spans := self._taken():
                self._send(spans)
            self._dropping = False
            if stopping:
                return
            self._wake.wait(_INTERVAL_S)

    def _taken(self) -> list[Span]:
        spans: list[Span] = []
        for _ in range(min(len(self._calls), _BATCH_ENTRIES)):
            spans += self._spans_of(self._calls.popleft())
        for _ in range(min(len(self._runs), _BATCH_ENTRIES)):
            spans.append(run_span(self._runs.popleft()))
        return spans

    def _spans_of(self, call: TracedCall) -> list[Span]:
        try:
            return self._call_spans.of(call)
        except Exception as fault:  # noqa: BLE001 - the thread must live on to send the others
            log_fault("call not traced", fault, call_id=call.id)
            return []

    def _send(self, spans: list[Span]) -> None:
        try:
            accepted = self._sender.send(spans)
        except Exception as error:  # noqa: BLE001 - traces must not end with what one batch holds
            _log.debug("traces could not be sent", extra={"raised": type(error).__name__})
            accepted = False
        if accepted:
            self._metrics.sent(len(spans))
            if self._failing:
                self._failing = False
                _log.warning("the collector accepts traces again")
            return
        self._metrics.lost("not_accepted", len(spans))
        if not self._failing:
            self._failing = True
            _log.warning("the collector does not accept traces; they are dropped until it does")
