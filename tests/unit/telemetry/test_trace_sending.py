"""A batch goes to the collector once, again where that may help, and nowhere else."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest

from collectors import Collector, collector_running
from headgate.config.trace_plan import TracePlan, trace_plan
from headgate.config.traces import TraceSettings
from headgate.errors import ConfigError
from headgate.telemetry.traces import sending
from headgate.telemetry.traces.sending import HttpSender
from headgate.telemetry.traces.span import Span

SPAN = Span(
    name="chat m",
    kind="server",
    trace_id="1" * 32,
    span_id="2" * 16,
    parent_id=None,
    parent_ours=False,
    begun_us=1,
    ended_us=2,
    facts={},
)


@pytest.fixture
def collector() -> Iterator[Collector]:
    with collector_running() as running:
        yield running


@pytest.fixture(autouse=True)
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sending, "_FIRST_PAUSE_S", 0.02)


def planned(collector: Collector, variables: dict[str, str] | None = None, **more) -> TracePlan:
    plan = trace_plan(TraceSettings(endpoint=collector.endpoint), variables or {})
    assert plan is not None
    return msgspec.structs.replace(plan, **more)


def then(collector: Collector, *statuses: int) -> Callable[..., int]:
    """Answer the first batches with `statuses`, the rest with the last of them."""
    take, waiting = collector.take, list(statuses)

    def taken(path: str, headers: dict[str, str], body: bytes) -> int:
        collector.status = waiting.pop(0) if len(waiting) > 1 else waiting[0]
        return take(path, headers, body)

    return taken


@pytest.mark.parametrize("status", [429, 502, 503, 504])
def test_a_collector_that_is_busy_is_asked_again(collector: Collector, status: int):
    collector.take = then(collector, status, status, 200)  # type: ignore[method-assign]
    assert HttpSender(planned(collector)).send([SPAN])
    assert len(collector.paths) == 3
    assert len(collector.spans()) == 1


@pytest.mark.parametrize("status", [302, 400, 401, 413, 500])
def test_what_would_be_refused_again_is_not_sent_again(collector: Collector, status: int):
    collector.take = then(collector, status)  # type: ignore[method-assign]
    assert not HttpSender(planned(collector)).send([SPAN])
    assert len(collector.paths) == 1


def test_a_collector_that_stays_away_is_given_up_in_time(collector: Collector):
    collector.take = then(collector, 503)  # type: ignore[method-assign]
    began_s = time.monotonic()
    assert not HttpSender(planned(collector, timeout_s=0.3)).send([SPAN])
    assert time.monotonic() - began_s < 2
    assert len(collector.paths) > 1


def test_nobody_there_is_a_failure_and_no_fault(collector: Collector):
    plan = planned(collector, url="http://127.0.0.1:9/v1/traces", timeout_s=0.2)
    assert not HttpSender(plan).send([SPAN])


def test_a_sender_that_is_closed_does_not_wait_any_longer(
    collector: Collector, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(sending, "_FIRST_PAUSE_S", 30.0)
    collector.take = then(collector, 503)  # type: ignore[method-assign]
    sender = HttpSender(planned(collector, timeout_s=60.0))
    sender.close()
    began_s = time.monotonic()
    assert not sender.send([SPAN])
    assert time.monotonic() - began_s < 5


def test_certificates_that_are_none_are_told_at_once(collector: Collector, tmp_path: Path):
    broken = tmp_path / "broken.pem"
    broken.write_text("not a certificate")
    secure = {"url": "https://127.0.0.1:9/v1/traces"}
    for field in ("certificate", "client_certificate"):
        with pytest.raises(ConfigError, match="certificates"):
            HttpSender(planned(collector, **secure, **{field: str(broken)}))
    HttpSender(planned(collector, **secure))


def test_headers_and_resource_come_from_opentelemetrys_variables(collector: Collector):
    variables = {
        "OTEL_EXPORTER_OTLP_HEADERS": "authorization=Basic%20abc,x-team=water",
        "OTEL_EXPORTER_OTLP_COMPRESSION": "gzip",
        "OTEL_SERVICE_NAME": "our-gate",
        "OTEL_RESOURCE_ATTRIBUTES": "service.name=other,deployment.environment.name=eu%2Cwest",
    }
    assert HttpSender(planned(collector, variables)).send([SPAN])
    assert collector.headers[0]["authorization"] == "Basic abc"
    assert collector.headers[0]["x-team"] == "water"
    assert collector.headers[0]["content-encoding"] == "gzip"
    (seen,) = collector.spans()
    assert seen.service["service.name"] == "our-gate"
    assert seen.service["deployment.environment.name"] == "eu,west"
