"""What a provider says of its usage: shown as estimated where it can't be, never as nothing."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headgate.config.failures import BreakerSettings, RetryBudgetSettings
from headgate.config.settings import PriceSettings, ProviderSettings
from headgate.gateway.call import Call
from headgate.gateway.caller import Caller
from headgate.gateway.endpoints import ENDPOINTS
from headgate.gateway.endpoints.responses import ResponsesStreamReader
from headgate.gateway.health.health import TargetHealth
from headgate.gateway.provider import Provider
from headgate.gateway.request import read_request
from headgate.gateway.settlement import Estimate, Settlement
from headgate.gateway.target import Target
from headgate.ledger.prices import PriceList
from headgate.ledger.record import CallRecord

PRICES = PriceList({"*": PriceSettings(input="1", output="2", cached_input="0.5")})
NAMES = {
    "chat/completions": ("prompt_tokens", "completion_tokens"),
    "responses": ("input_tokens", "output_tokens"),
}
DETAILS = {
    "prompt_tokens_details": "cached_tokens",
    "completion_tokens_details": "reasoning_tokens",
    "input_tokens_details": "cached_tokens",
    "output_tokens_details": "reasoning_tokens",
}
ABSURD: st.SearchStrategy[Any] = st.one_of(
    st.integers(max_value=-1),
    st.integers(min_value=10**8 + 1),
    st.floats(allow_nan=False, allow_infinity=False).filter(lambda n: not n.is_integer()),
    st.text(max_size=5),
    st.lists(st.integers(), max_size=2),
    st.booleans(),
    st.none(),
)
COUNTS = st.integers(1, 10**6)


def settled(endpoint: str, usage: Any, **more: Any) -> CallRecord:
    """The record of a call that was answered with this `usage`."""
    provider = Provider(
        "p", ProviderSettings(), simulated=False, retry_budget=RetryBudgetSettings()
    )
    target = Target(provider, "m", None, TargetHealth("m", BreakerSettings()))
    body = {"model": "m", "messages": [{"role": "user", "content": "Hello there"}]}
    call = Call(Caller("key", "project", "app"), endpoint, trace_id="0")
    call.target = target
    request = read_request(ENDPOINTS[endpoint], json.dumps(body).encode())
    answer = json.dumps({"id": "resp_1", "model": "m-1", "usage": usage} | more).encode()
    told = request.endpoint.usage(answer)
    estimate = Estimate(len(answer) // 4, wrote=request.endpoint.wrote(answer))
    Settlement(PRICES).note(call, request, told, estimate)
    return call.record


@pytest.mark.parametrize("endpoint", NAMES)
@given(
    given_in=st.none() | COUNTS | ABSURD,
    given_out=st.none() | COUNTS | ABSURD,
    details=st.dictionaries(st.sampled_from(list(DETAILS)), ABSURD | COUNTS, max_size=4),
)
def test_what_can_not_be_is_estimated_and_never_free(endpoint, given_in, given_out, details):
    into, out = NAMES[endpoint]
    usage = {into: given_in, out: given_out} | {
        name: {DETAILS[name]: value} for name, value in details.items()
    }
    record = settled(endpoint, usage)
    believed = [type(n) is int and 0 < n <= 10**8 for n in (given_in, given_out)]
    assert record.input_tokens is not None
    assert record.input_tokens > 0
    assert record.output_tokens is not None
    assert record.output_tokens >= 0
    if believed[0]:
        assert record.input_tokens == given_in
    if believed[1]:
        assert record.output_tokens == given_out
    if not all(believed):
        assert record.tokens_estimated
    assert 0 <= (record.cached_tokens or 0) <= record.input_tokens
    assert 0 <= (record.reasoning_tokens or 0) <= record.output_tokens
    assert record.cost_nanousd is not None
    least = record.input_tokens * 500 + record.output_tokens * 2000
    assert least <= record.cost_nanousd <= least + record.input_tokens * 500
    assert record.model_answered == "m-1", "one bad count does not cost the rest"
    if endpoint == "responses":
        assert record.response_id == "resp_1"


@pytest.mark.parametrize("endpoint", NAMES)
@given(usage=ABSURD)
def test_a_usage_that_is_none_is_estimated(endpoint, usage):
    record = settled(endpoint, usage)
    assert record.tokens_estimated
    assert record.cost_nanousd


@pytest.mark.parametrize("endpoint", NAMES)
def test_a_prompt_that_is_said_to_have_no_tokens_is_estimated(endpoint):
    into, out = NAMES[endpoint]
    record = settled(endpoint, {into: 0, out: 0})
    assert record.tokens_estimated
    assert (record.input_tokens or 0) > 5
    assert (record.output_tokens or 0) > 5, "who doesn't count what goes in counts nothing"


WRITTEN = {
    "chat/completions": {"choices": [{"message": {"role": "assistant", "content": "Hello"}}]},
    "responses": {"output": [{"content": [{"type": "output_text", "text": "Hello"}]}]},
}
SILENT = {
    "chat/completions": {"choices": [{"message": {"role": "assistant", "content": ""}}]},
    "responses": {"output": [], "text": {"format": {"type": "text"}}},
}


@pytest.mark.parametrize("endpoint", NAMES)
def test_an_answer_that_is_said_to_have_no_tokens_is_estimated_if_something_is_written_there(
    endpoint,
):
    into, out = NAMES[endpoint]
    written = settled(endpoint, {into: 9, out: 0}, **WRITTEN[endpoint])
    assert written.tokens_estimated
    assert written.input_tokens == 9
    assert (written.output_tokens or 0) > 5
    silent = settled(endpoint, {into: 9, out: 0}, **SILENT[endpoint])
    assert not silent.tokens_estimated
    assert silent.output_tokens == 0


@pytest.mark.parametrize("endpoint", NAMES)
@given(taken=COUNTS, given=COUNTS, cached=st.integers(0, 10**8))
def test_what_is_said_well_is_not_estimated(endpoint, taken, given, cached):
    into, out = NAMES[endpoint]
    details = "prompt_tokens_details" if endpoint != "responses" else "input_tokens_details"
    record = settled(endpoint, {into: taken, out: given, details: {"cached_tokens": cached}})
    assert not record.tokens_estimated
    assert (record.input_tokens, record.output_tokens) == (taken, given)
    assert record.cached_tokens == min(cached, taken)


@given(usage=ABSURD | st.fixed_dictionaries({"input_tokens": ABSURD, "output_tokens": ABSURD}))
def test_an_absurd_usage_does_not_make_a_stream_look_cut(usage):
    reader = ResponsesStreamReader()
    response = {"id": "resp_1", "status": "completed", "usage": usage}
    event = json.dumps({"type": "response.completed", "response": response})
    reader.feed(b"event: response.completed\ndata: " + event.encode() + b"\n\n")
    assert reader.finished
    assert reader.usage is not None
    assert reader.usage.response_id == "resp_1"
