"""Spans wait in a queue that is bounded, says what it drops, and is emptied at the stop."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

import pytest

from call_records import a_call
from headgate.telemetry.metrics import Metrics
from headgate.telemetry.traces.call_spans import CallSpans
from headgate.telemetry.traces.sampler import Sampler
from headgate.telemetry.traces.span import Span
from headgate.telemetry.traces.tracer import Tracer


class Sent:
    """A sender that keeps what it is given; `answer` says whether a batch is accepted."""

    def __init__(self, answer: Callable[[], bool] = lambda: True) -> None:
        self.answer = answer
        self.spans: list[Span] = []
        self.closed = False

    def send(self, spans: Sequence[Span]) -> bool:
        if not self.answer():
            return False
        self.spans += spans
        return True

    def close(self) -> None:
        self.closed = True


class Traced:
    def __init__(self, sent: Sent, *, share: float = 1.0, queue_entries: int = 100) -> None:
        metrics = Metrics(max_label_values=5)
        self.render = metrics.render
        self.sent = sent
        self.tracer = Tracer(
            Sampler(share), CallSpans({}), sent, metrics.traces, queue_entries=queue_entries
        )

    def figure(self, name: str) -> float:
        lines = self.render().decode().splitlines()
        return next((float(line.split()[-1]) for line in lines if line.startswith(name)), 0.0)


def test_what_waits_at_the_stop_is_sent():
    traced = Traced(Sent())
    traced.tracer.note_calls(a_call() for _ in range(3))
    traced.tracer.start()
    traced.tracer.close(5.0)
    assert len(traced.sent.spans) == 6
    assert traced.sent.closed
    assert traced.figure("headgate_trace_spans_sent_total") == 6


def test_more_than_fits_is_dropped_and_counted(caplog: pytest.LogCaptureFixture):
    traced = Traced(Sent(), queue_entries=100)
    traced.tracer.note_calls(a_call() for _ in range(130))
    assert traced.figure('headgate_trace_spans_lost_total{reason="queue_full"}') == 60
    assert [record.message for record in caplog.records] == [
        "traces are dropped: more come than the collector takes"
    ]
    traced.tracer.start()
    traced.tracer.close(5.0)
    assert len(traced.sent.spans) == 200


def test_traces_that_are_not_kept_take_no_room():
    traced = Traced(Sent(), share=0.0)
    traced.tracer.note_calls(a_call() for _ in range(1000))
    traced.tracer.start()
    traced.tracer.close(5.0)
    assert traced.sent.spans == []
    assert traced.figure("headgate_trace_spans_lost_total") == 0


@pytest.mark.parametrize("fails", ["refuses", "raises"])
def test_a_batch_that_is_not_accepted_is_counted_and_the_next_is_sent(fails: str):
    answers = iter([False])

    def answer() -> bool:
        if next(answers, True):
            return True
        if fails == "raises":
            raise OSError("away")
        return False

    traced = Traced(Sent(answer), queue_entries=1000)
    traced.tracer.note_calls(a_call() for _ in range(300))
    traced.tracer.start()
    traced.tracer.close(5.0)
    assert traced.figure('headgate_trace_spans_lost_total{reason="not_accepted"}') == 400
    assert len(traced.sent.spans) == 200


def test_a_stop_does_not_wait_for_a_collector_that_hangs():
    hangs = threading.Event()

    def answer() -> bool:
        hangs.wait(10.0)
        return False

    traced = Traced(Sent(answer))
    traced.tracer.note_calls([a_call()])
    traced.tracer.start()
    traced.tracer.close(0.05)
    assert traced.sent.closed
    hangs.set()


def test_a_call_that_can_not_be_told_does_not_stop_the_others():
    traced = Traced(Sent())
    broken = a_call()
    broken.trail = (None,)  # type: ignore[assignment]
    traced.tracer.note_calls([broken, a_call()])
    traced.tracer.start()
    traced.tracer.close(5.0)
    assert len(traced.sent.spans) == 2
