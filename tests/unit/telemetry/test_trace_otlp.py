"""What is written by hand is what OpenTelemetry's own reader of its protocol understands."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from headgate.telemetry.traces.otlp import encoded
from headgate.telemetry.traces.span import Moment, Span

TEXT = st.text(st.characters(codec="utf-8"), max_size=300)
VALUES = st.one_of(
    TEXT,
    st.booleans(),
    st.integers(-(2**63) + 1, 2**63 - 1),
    st.floats(allow_nan=False),
)
FACTS = st.dictionaries(TEXT, VALUES, max_size=5)
TIMES = st.integers(0, 4 * 10**15)
IDS = st.binary(min_size=8, max_size=8).map(bytes.hex)
MOMENTS = st.builds(Moment, name=TEXT, at_us=TIMES, facts=FACTS)
SPANS = st.builds(
    Span,
    name=TEXT,
    kind=st.sampled_from(["server", "client", "internal"]),
    trace_id=st.binary(min_size=16, max_size=16).map(bytes.hex),
    span_id=IDS,
    parent_id=st.none() | IDS,
    parent_ours=st.booleans(),
    begun_us=TIMES,
    ended_us=TIMES,
    facts=FACTS,
    failed=st.booleans(),
    moments=st.lists(MOMENTS, max_size=3).map(tuple),
)
KINDS = {"internal": 1, "server": 2, "client": 3}


def facts(attributes: Any) -> dict[str, Any]:
    return {one.key: getattr(one.value, one.value.WhichOneof("value")) for one in attributes}


@settings(deadline=None)
@given(st.lists(SPANS, max_size=4), st.dictionaries(TEXT, TEXT, max_size=3))
def test_every_span_is_read_as_it_was_written(spans, resource):
    read = ExportTraceServiceRequest.FromString(encoded(spans, resource, version="1.2"))
    (of_resource,) = read.resource_spans
    assert facts(of_resource.resource.attributes) == resource
    (of_scope,) = of_resource.scope_spans
    assert (of_scope.scope.name, of_scope.scope.version) == ("headgate", "1.2")
    assert len(of_scope.spans) == len(spans)
    for span, seen in zip(spans, of_scope.spans, strict=True):
        assert (seen.name, seen.kind) == (span.name, KINDS[span.kind])
        assert seen.trace_id.hex() == span.trace_id
        assert seen.span_id.hex() == span.span_id
        assert seen.parent_span_id.hex() == (span.parent_id or "")
        remote = span.parent_id is not None and not span.parent_ours
        assert seen.flags == 0x101 | (0x200 if remote else 0)
        assert seen.start_time_unix_nano == span.begun_us * 1000
        assert seen.end_time_unix_nano == span.ended_us * 1000
        assert facts(seen.attributes) == span.facts
        assert {type(v) for v in facts(seen.attributes).values()} == set(
            map(type, span.facts.values())
        )
        assert seen.status.code == (2 if span.failed else 0)
        assert [(m.name, m.time_unix_nano, facts(m.attributes)) for m in seen.events] == [
            (m.name, m.at_us * 1000, m.facts) for m in span.moments
        ]
    size_bytes = read.ByteSize()
    read.DiscardUnknownFields()
    assert read.ByteSize() == size_bytes, "a field has a number that the protocol does not know"


def test_what_no_number_of_the_protocol_can_hold_is_brought_to_its_bound():
    span = Span(
        name="\ud800",
        kind="client",
        trace_id="1" * 32,
        span_id="2" * 16,
        parent_id=None,
        parent_ours=False,
        begun_us=-5,
        ended_us=10**30,
        facts={"large": 2**80, "small": -(2**80), "text": "a\ud800b"},
    )
    read = ExportTraceServiceRequest.FromString(encoded([span], {}, version="1"))
    seen = read.resource_spans[0].scope_spans[0].spans[0]
    assert facts(seen.attributes) == {"large": 2**63 - 1, "small": -(2**63) + 1, "text": "a?b"}
    assert (seen.name, seen.start_time_unix_nano) == ("?", 0)
