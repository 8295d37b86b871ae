"""Which trace something belongs to, under whose span, and whether it is kept."""

from __future__ import annotations

from hypothesis import example, given, settings
from hypothesis import strategies as st

from headgate.telemetry.traces.lineage import Parent, span_id_of, trace_from, under
from headgate.telemetry.traces.propagation import Propagator
from headgate.telemetry.traces.sampler import Sampler

TRACE = "0af7651916cd43dd8448eb211c80319c"
SPAN = "b7ad6b7169203331"
HEX = st.text("0123456789abcdef", min_size=32, max_size=32).filter(lambda text: text.strip("0"))


def test_a_traceparent_names_trace_span_and_whether_it_is_kept():
    assert trace_from(f"00-{TRACE}-{SPAN}-01".encode()) == (TRACE, Parent(SPAN, sampled=True))
    assert trace_from(f"00-{TRACE}-{SPAN}-00".encode()) == (TRACE, Parent(SPAN, sampled=False))
    assert trace_from(f"00-{TRACE}-{SPAN}-03".encode()) == (TRACE, Parent(SPAN, sampled=True))


def test_a_later_version_may_have_more_fields():
    assert trace_from(f"cc-{TRACE}-{SPAN}-01-what".encode()) == (TRACE, Parent(SPAN, sampled=True))


@settings(deadline=None)
@given(st.binary(max_size=80))
@example(b"")
@example(f"00-{TRACE}-{SPAN}-01-what".encode())
@example(f"ff-{TRACE}-{SPAN}-01".encode())
@example(f"00-{TRACE.upper()}-{SPAN}-01".encode())
@example(f"00-{'0' * 32}-{SPAN}-01".encode())
@example(f"00-{TRACE}-{SPAN}-01\n".encode())
def test_anything_else_begins_a_trace_of_its_own(header):
    trace_id, parent = trace_from(header)
    assert parent is None
    assert len(trace_id) == 32
    assert int(trace_id, 16)
    assert trace_id != TRACE


def test_a_span_of_noughts_is_no_parent():
    assert trace_from(f"00-{TRACE}-{'0' * 16}-01".encode()) == (TRACE, None)


def test_what_lies_under_ours_takes_over_what_was_decided():
    known = under("run_1", Parent(SPAN, sampled=False))
    assert known == Parent(span_id_of("run_1"), sampled=False, ours=True)
    assert under("run_1", None) == Parent(span_id_of("run_1"), sampled=None, ours=True)


@settings(deadline=None)
@given(HEX, st.booleans())
def test_a_parents_word_goes_first(trace_id, sampled):
    parent = Parent(SPAN, sampled)
    for share in (0.0, 0.5, 1.0):
        assert Sampler(share).keeps(trace_id, parent) is sampled
    assert Sampler(1.0, follows_parent=False).keeps(trace_id, parent)
    assert not Sampler(0.0, follows_parent=False).keeps(trace_id, parent)


@settings(deadline=None)
@given(HEX, st.floats(0, 1), st.floats(0, 1))
def test_a_trace_that_a_small_share_keeps_a_larger_one_keeps_too(trace_id, one, other):
    small, large = sorted((one, other))
    assert Sampler(large).keeps(trace_id, None) >= Sampler(small).keeps(trace_id, None)
    assert Sampler(1.0).keeps(trace_id, None)
    assert not Sampler(0.0).keeps(trace_id, None)


@settings(deadline=None)
@given(HEX, st.floats(0, 1))
def test_all_of_a_trace_is_kept_or_nothing(trace_id, share):
    sampler = Sampler(share)
    assert sampler.keeps(trace_id, None) == sampler.keeps(trace_id, under("run_1", None))


def test_a_share_is_kept_about_as_often_as_it_says():
    kept = sum(Sampler(0.25).keeps(trace_from(None)[0], None) for _ in range(4000))
    assert 800 < kept < 1200


def test_a_provider_is_told_the_trace_only_where_it_is_named():
    propagator = Propagator(Sampler(1.0), ["ours"])
    line = propagator.header("ours", TRACE, Parent(SPAN, sampled=False), "call_1", 2)
    assert line == f"traceparent: 00-{TRACE}-{span_id_of('call_1/2')}-00\r\n".encode()
    assert propagator.header("theirs", TRACE, None, "call_1", 2) == b""
