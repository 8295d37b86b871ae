"""What the spans of a call tell: as much as its record, no more, and nothing twice."""

from __future__ import annotations

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from call_records import a_call
from headgate.ledger.attempt import AttemptRecord
from headgate.telemetry.traces.call_spans import CallSpans
from headgate.telemetry.traces.lineage import Parent

SPANS = CallSpans({"azure-eu": "azure.ai.openai"})


def tried(number: int, *, began_us: int = 0, latency_us: int = 10, error: str | None = None):
    return AttemptRecord(
        "call_1", number, "first", "azure-eu", "m", "team", 200, error, latency_us, began_us
    )


def test_a_provider_is_called_what_opentelemetry_calls_it():
    call, attempt = SPANS.of(a_call(provider="azure-eu", lone_attempt=tried(1)))
    assert call.facts["gen_ai.provider.name"] == "azure.ai.openai"
    assert attempt.facts["gen_ai.provider.name"] == "azure.ai.openai"
    assert attempt.facts["headgate.provider"] == "azure-eu"
    assert attempt.facts["headgate.provider_key"] == "team"


def test_what_is_not_known_is_left_out():
    call, *_ = SPANS.of(a_call(cost_nanousd=None, feature=None, first_token_us=None))
    assert None not in call.facts.values()
    assert not {"headgate.cost_nanousd", "headgate.feature"} & set(call.facts)


def test_a_call_that_was_answered_from_the_cache_has_no_attempt():
    (only,) = SPANS.of(a_call(attempts=0, cache="hit"))
    assert only.facts["headgate.cache"] == "hit"


def test_an_attempt_that_only_the_record_tells_of_lasts_as_long_as_the_call():
    call, attempt = SPANS.of(a_call(endpoint="files", attempts=1))
    assert (attempt.begun_us, attempt.ended_us) == (call.begun_us, call.ended_us)
    assert attempt.facts["headgate.provider"] == "openai"


def test_the_end_user_is_not_told_even_by_a_hash():
    for span in SPANS.of(a_call(user_hash="f" * 32)):
        assert "f" * 32 not in span.facts.values()


def test_under_a_span_of_ours_a_call_is_no_door():
    (inner, *_), (outer, *_) = (
        SPANS.of(a_call(parent=Parent("1" * 16, ours=ours))) for ours in (True, False)
    )
    assert (inner.kind, outer.kind) == ("internal", "server")


@settings(deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 9000), st.integers(0, 9000), st.booleans()), max_size=6),
    st.booleans(),
    st.booleans(),
)
def test_every_attempt_has_one_span_under_the_calls(attempts, streamed, fails):
    trail = tuple(
        tried(number, began_us=began, latency_us=took, error="busy" if failed else None)
        for number, (began, took, failed) in enumerate(attempts, 1)
    )
    record = a_call(
        attempts=len(trail),
        trail=trail,
        streamed=streamed,
        latency_us=20_000,
        error_class="upstream_cut" if fails else None,
    )
    call, *spans = SPANS.of(record)
    assert [span.facts["headgate.attempt.number"] for span in spans] == [a.number for a in trail]
    assert {span.parent_id for span in spans} <= {call.span_id}
    assert len({span.span_id for span in (call, *spans)}) == len(trail) + 1
    assert {span.trace_id for span in spans} <= {record.trace_id}
    for span, attempt in zip(spans, trail, strict=True):
        assert call.begun_us <= span.begun_us <= span.ended_us <= call.ended_us
        assert span.failed == ("error.type" in span.facts)
        assert span.failed >= (attempt.error_class is not None)
    used = [span for span in (call, *spans) if "gen_ai.usage.input_tokens" in span.facts]
    assert used == [call]
    assert all(msgspec.json.encode(span) for span in spans)
