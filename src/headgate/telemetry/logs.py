"""Logs: one JSON object a line on standard error, with trace ids, without secrets or contents."""

from __future__ import annotations

import functools
import logging
import os
import sys
import time
from collections.abc import Sequence
from typing import Any, Literal, Protocol

import msgspec

from headgate.telemetry.attempt_figures import AttemptFigures

Level = Literal["debug", "info", "warning", "error"]


class JsonLines(logging.Formatter):
    """Renders a record as one JSON object; what is given as `extra` becomes fields of it."""

    def format(self, record: logging.LogRecord) -> str:
        """See `logging.Formatter`."""
        line: dict[str, Any] = {
            "event": record.getMessage(),
            "level": record.levelname.lower(),
            "timestamp": _timestamp(*divmod(int(record.created * 1_000_000), 1_000_000)),
            "logger": record.name,
        }
        line |= {name: value for name, value in vars(record).items() if name not in _STANDARD}
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return msgspec.json.encode(line, enc_hook=str).decode()


_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {
    "message",
    "asctime",
    "color_message",
    "taskName",
}


def configure_logs(level: Level) -> None:
    """Send every message of this process to standard error as JSON lines."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines())
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(_number(level))
    for name in ("uvicorn", "uvicorn.error"):
        logger = logging.getLogger(name)
        logger.handlers = []
        logger.propagate = True
        # Its every start and stop, and the simulator's, told in lines that say nothing of Headgate.
        logger.setLevel(logging.WARNING)
    # Alembic tells each step of a migration; one line of our own says it is done.
    logging.getLogger("alembic").setLevel(logging.WARNING)


def _number(level: Level) -> int:
    return logging.getLevelNamesMapping()[level.upper()]


class LoggedAttempt(AttemptFigures, Protocol):
    """What a log line tells of an attempt."""

    @property
    def cost_nanousd(self) -> int | None:
        """What it may cost though its answer was not used."""


class LoggedCall(Protocol):
    """What a log line tells of a call."""

    id: str
    started_at_us: int
    trace_id: str
    project: str
    key_id: str
    endpoint: str
    feature: str | None
    workflow: str | None
    run_id: str | None
    model_requested: str | None
    provider: str | None
    model_answered: str | None
    streamed: bool
    status: int
    error_class: str | None
    attempts: int
    input_tokens: int | None
    output_tokens: int | None
    tokens_estimated: bool
    cost_nanousd: int | None
    latency_us: int
    first_token_us: int | None
    simulated: bool

    @property
    def trail(self) -> Sequence[LoggedAttempt]:
        """The attempts, where they tell more than the call itself does."""

    @property
    def cache(self) -> str:
        """What the cache had for it: `off` where it wasn't asked."""


class _Attempt(msgspec.Struct, omit_defaults=True, kw_only=True):
    reason: str
    provider: str
    model: str
    latency_ms: float
    key: str | None = None
    status: int | None = None
    error: str | None = None
    cost_nanousd: int | None = None


class _Line(msgspec.Struct, omit_defaults=True, kw_only=True):
    event: str
    level: str
    timestamp: str
    call_id: str
    trace_id: str
    project: str
    key_id: str
    endpoint: str
    status: int
    attempts: int
    latency_ms: float
    feature: str | None = None
    workflow: str | None = None
    run_id: str | None = None
    model: str | None = None
    provider: str | None = None
    model_answered: str | None = None
    streamed: bool = False
    error: str | None = None
    first_token_ms: float | None = None
    input_tokens: int | None = None
    output_tokens: int | None = None
    usage: str | None = None
    cost_nanousd: int | None = None
    simulated: bool = False
    cache: str = "off"
    trail: tuple[_Attempt, ...] = ()


_encoder = msgspec.json.Encoder()


class CallLog:
    """Writes a line for each call, a batch at a time, on the ledger's writer's thread."""

    def __init__(self, which: Literal["all", "errors", "none"], level: Level) -> None:
        enabled = _number(level) <= logging.INFO
        self._all = which == "all" and enabled
        self._errors = which != "none"

    def write(self, records: Sequence[LoggedCall]) -> None:
        """Log `records`, calls that have ended."""
        if not self._errors:
            return
        lines = [_line(r) for r in records if self._all or r.error_class is not None]
        if lines:
            data = memoryview(_encoder.encode_lines(lines))
            while data:
                data = data[os.write(sys.stderr.fileno(), data) :]


def _line(record: LoggedCall) -> _Line:
    return _Line(
        event="call",
        level="info" if record.error_class is None else "warning",
        timestamp=_timestamp(*divmod(record.started_at_us, 1_000_000)),
        call_id=record.id,
        trace_id=record.trace_id,
        project=record.project,
        key_id=record.key_id,
        endpoint=record.endpoint,
        status=record.status,
        attempts=record.attempts,
        latency_ms=record.latency_us / 1000,
        feature=record.feature,
        workflow=record.workflow,
        run_id=record.run_id,
        model=record.model_requested,
        provider=record.provider,
        model_answered=record.model_answered,
        streamed=record.streamed,
        error=record.error_class,
        first_token_ms=None if record.first_token_us is None else record.first_token_us / 1000,
        input_tokens=record.input_tokens,
        output_tokens=record.output_tokens,
        usage="estimated" if record.tokens_estimated else None,
        cost_nanousd=record.cost_nanousd,
        simulated=record.simulated,
        cache=record.cache,
        trail=tuple(map(_attempt, record.trail)) if record.trail else (),
    )


def _attempt(attempt: LoggedAttempt) -> _Attempt:
    return _Attempt(
        reason=attempt.reason,
        provider=attempt.provider,
        model=attempt.model,
        latency_ms=attempt.latency_us / 1000,
        key=attempt.provider_key,
        status=attempt.status,
        error=attempt.error_class,
        cost_nanousd=attempt.cost_nanousd,
    )


def _timestamp(seconds: int, micros: int) -> str:
    return f"{_second(seconds)}.{micros:06d}Z"


@functools.lru_cache(maxsize=8)
def _second(seconds: int) -> str:
    """The second in ISO form; a batch's calls share a few of them."""
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds))
