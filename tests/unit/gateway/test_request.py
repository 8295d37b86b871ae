"""What the gateway reads of a request, and what it leaves alone."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headgate.config.endpoints import MODEL_OPTIONAL
from headgate.errors import InvalidRequestError
from headgate.gateway.endpoints import ENDPOINTS
from headgate.gateway.request import read_request

CHAT = ENDPOINTS["chat/completions"]

json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=10),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=8,
)


@given(st.dictionaries(st.text(max_size=12), json_values, max_size=6), st.booleans())
def test_unknown_fields_go_through_untouched(fields: dict[str, object], stream: bool) -> None:
    sent = {**fields, "model": "gpt-5-mini", "stream": stream}
    sent.pop("stream_options", None)
    request = read_request(CHAT, json.dumps(sent).encode())
    assert json.loads(request.body_for("gpt-5-mini")) == sent
    assert json.loads(request.body_for("other")) == {**sent, "model": "other"}
    assert request.streamed is stream


def test_numbers_keep_their_spelling() -> None:
    body = b'{"model":"m","temperature":1.0,"seed":12345678901234567890123,"x":1e400}'
    assert read_request(CHAT, body).body_for("m") == body


def test_a_field_given_twice_means_one_thing() -> None:
    body = b'{"model":"allowed","mod\\u0065l":"forbidden","messages":[]}'
    request = read_request(CHAT, body)
    assert request.model == "forbidden"
    assert request.body_for(request.model).count(b"model") == 1


@pytest.mark.parametrize(
    ("body", "param", "code"),
    [
        (b"", None, "invalid_json"),
        (b"{", None, "invalid_json"),
        (b"[]", None, "invalid_json"),
        (b'"x"', None, "invalid_json"),
        (b"\xff\xfe", None, "invalid_json"),
        (b'{"messages":[]}', "model", "missing_required_parameter"),
        (b'{"model":5}', "model", "invalid_type"),
        (b'{"model":null}', "model", "invalid_type"),
        (b'{"model":""}', "model", "invalid_request"),
        (b'{"model":"m","stream":"yes"}', "stream", "invalid_type"),
    ],
)
def test_bad_bodies_name_what_is_wrong(body: bytes, param: str | None, code: str) -> None:
    with pytest.raises(InvalidRequestError) as raised:
        read_request(CHAT, body)
    assert (raised.value.param, raised.value.code) == (param, code)


def test_usage_is_asked_for_and_hidden_only_where_the_client_did_not_ask() -> None:
    silent = read_request(CHAT, b'{"model":"m","stream":true}')
    silent.ask_for_usage()
    assert silent.hide_usage
    assert json.loads(silent.body_for("m"))["stream_options"] == {"include_usage": True}
    asking = read_request(
        CHAT, b'{"model":"m","stream":true,"stream_options":{"include_usage":true,"x":1}}'
    )
    asking.ask_for_usage()
    assert not asking.hide_usage
    other = read_request(
        CHAT, b'{"model":"m","stream":true,"stream_options":{"include_obfuscation":false}}'
    )
    other.ask_for_usage()
    assert other.hide_usage
    assert json.loads(other.body_for("m"))["stream_options"] == {
        "include_obfuscation": False,
        "include_usage": True,
    }


def test_moderations_need_no_model() -> None:
    request = read_request(ENDPOINTS["moderations"], b'{"input":"x"}')
    assert request.model == "omni-moderation-latest"


def test_what_a_target_does_not_understand_is_taken_back() -> None:
    for sent in (b"", b',"stream_options":{"include_usage":false}'):
        body = b'{"model":"m","messages":[],"stream":true%b}' % sent
        request = read_request(ENDPOINTS["chat/completions"], body)
        before = dict(request.fields)
        request.ask_for_usage()
        assert request.fields != before
        request.ask_for_usage(understood=False)
        assert request.fields == before
        request.ask_for_usage()
        assert b'"include_usage":true' in request.body_for("m")


@pytest.mark.parametrize("endpoint", ["responses", "responses/input_tokens", "images/generations"])
@pytest.mark.parametrize("given_model", [{}, {"model": None}])
def test_a_model_that_is_left_out_stays_out_where_that_is_allowed(endpoint, given_model) -> None:
    body = json.dumps({"prompt": "x", **given_model}).encode()
    request = read_request(ENDPOINTS[endpoint], body)
    assert request.model == ""
    assert json.loads(request.body_for("")) == {"prompt": "x"}
    assert json.loads(request.body_for("", prompt_cache_key="k")) == {
        "prompt": "x",
        "prompt_cache_key": "k",
    }
    assert json.loads(request.body_for("chosen")) == {"prompt": "x", "model": "chosen"}


def test_a_default_can_be_set_for_each_endpoint_that_leaves_the_model_open() -> None:
    assert sorted(e.name for e in ENDPOINTS.values() if e.model_optional) == list(MODEL_OPTIONAL)


@pytest.mark.parametrize("endpoint", ["chat/completions", "embeddings", "responses/compact"])
def test_a_model_must_be_named_where_the_specification_says_so(endpoint) -> None:
    with pytest.raises(InvalidRequestError) as refused:
        read_request(ENDPOINTS[endpoint], b"{}")
    assert (refused.value.param, refused.value.code) == ("model", "missing_required_parameter")
    with pytest.raises(InvalidRequestError):
        read_request(ENDPOINTS["responses"], b'{"model": ""}')


def test_a_default_model_does_not_go_before_a_stored_prompts_own() -> None:
    responses, images = ENDPOINTS["responses"], ENDPOINTS["images/generations"]
    assert read_request(responses, b'{"input": "x"}').takes_default_model()
    assert read_request(images, b'{"prompt": "a river"}').takes_default_model()
    assert read_request(responses, b'{"prompt": null}').takes_default_model()
    assert not read_request(responses, b'{"prompt": {"id": "pmpt_1"}}').takes_default_model()
    assert not read_request(responses, b'{"model": "m"}').takes_default_model()


@pytest.mark.parametrize(
    ("body", "second"),
    [
        ({}, None),
        ({"output_format": "png"}, None),
        ({"svg": None}, None),
        ({"output_format": "svg"}, ""),
        ({"svg": {}}, ""),
        ({"svg": 1}, ""),
        ({"svg": {"model": "gpt-5"}}, "gpt-5"),
        ({"svg[model]": "gpt-5"}, "gpt-5"),
        ({"svg[reasoning_effort]": "low"}, ""),
    ],
)
def test_the_second_model_that_draws_is_known(body, second) -> None:
    request = read_request(ENDPOINTS["images/edits"], json.dumps({"model": "m", **body}).encode())
    assert request.second_model == second
