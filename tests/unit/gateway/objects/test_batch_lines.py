"""What a batch's lines ask is read as it flows by; what can't be carried is told by its line."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headgate.errors import HeadgateError, InvalidRequestError
from headgate.gateway.objects.allowed import AllowedPaths
from headgate.gateway.objects.batch_lines import BatchContents, BatchLines
from headgate.gateway.objects.references import Reference


def line(url: str = "/v1/responses", **body: Any) -> str:
    filled = {"model": "m", "input": "Hi", **body}
    return json.dumps({"custom_id": "1", "method": "POST", "url": url, "body": filled})


def read(*lines: str, allow: tuple[str, ...] = (), cut: int = 10**9) -> BatchContents:
    reader = BatchLines("/v1/responses", max_line_bytes=10_000, allowed=AllowedPaths(allow))
    data = "\n".join(lines).encode()
    for start in range(0, len(data), cut):
        reader.feed(data[start : start + cut])
    return reader.end()


LINES = (
    line(max_output_tokens=50),
    line(model="n", tools=[{"type": "file_search", "vector_store_ids": ["vs_1", "vs_2"]}]),
    "",
    line(previous_response_id="resp_1", max_output_tokens=7),
    line("/chat/completions", messages=[{"role": "user", "content": [{"file": {"file_id": "f"}}]}]),
    line("/v1/embeddings", model="e"),
)


def test_what_the_lines_name_is_noted_with_the_first_line_that_does():
    found = read(*LINES, *LINES)
    assert found.lines == 10
    assert found.objects == {
        Reference("vector_store", "vs_1", "vector_store_ids"): 2,
        Reference("vector_store", "vs_2", "vector_store_ids"): 2,
        Reference("file", "f", "file_id"): 5,
    }
    assert found.responses == {"resp_1": 4}
    assert {name: work.first_line for name, work in found.models.items()} == {
        "m": 1, "n": 2, "e": 6,
    }  # fmt: skip


def test_their_requests_are_counted_by_model():
    models = read(*LINES).models
    assert {name: work.requests for name, work in models.items()} == {"m": 3, "n": 1, "e": 1}


@given(st.integers(1, 400))
def test_it_does_not_matter_where_the_bytes_are_cut(cut: int):
    assert read(*LINES, cut=cut) == read(*LINES)


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        ("{", "not JSON"),
        ('{"url": 7, "body": {}}', "no request of a batch"),
        ('{"url": "/v1/responses", "body": {"model": "a", "model": "b"}}', "twice"),
        ('{"url": "/v1/responses", "body": {"model": "a"}, "body": {"model": "b"}}', "twice"),
        ('{"url": "/v1/responses", "method": "GET", "body": {"model": "m"}}', "`method`"),
        (line("/v1/files"), "no endpoint"),
        (line("/v1/organization/users"), "no endpoint"),
        (line("https://elsewhere.example/v1/responses"), "no endpoint"),
        (line("v1/responses"), "no endpoint"),
        (line("/v1/../v1/responses"), "no endpoint"),
        (line("//responses"), "no endpoint"),
        (line(input="x" * 10_001), "more than 10000 bytes"),
        ('{"url": "\ud800"}', "not JSON"),
    ],
)
def test_a_line_that_can_not_be_carried_is_told_by_its_number(wrong: str, why: str):
    reader = BatchLines("/v1/responses", max_line_bytes=10_000)
    with pytest.raises(HeadgateError) as refused:  # noqa: PT012 - some by `feed`, some by `end`
        reader.feed("\n".join((*LINES[:3], wrong)).encode("utf-8", "surrogatepass"))
        reader.end()
    assert refused.value.status == 400
    assert refused.value.message.startswith("Line 4 of the batch's input file: ")
    assert why in refused.value.message
    assert refused.value.param == "input_file_id"


def test_an_endpoint_that_an_operator_lets_pass_may_stand_in_a_line():
    odd = line("/v1/oddities", model="odd", file_id="file-7")
    with pytest.raises(InvalidRequestError):
        read(odd)
    found = read(odd, allow=("/v1/oddities",))
    assert found.models["odd"].requests == 1
    assert list(found.objects) == [Reference("file", "file-7", "file_id")]
    nameless = '{"url": "/v1/oddities", "body": {}}'
    assert list(read(nameless, allow=("/v1/oddities",)).models) == [""]


def test_what_no_provider_could_run_is_left_to_the_provider():
    found = read("[]", "7", '{"custom_id": "1"}', '{"url": "/v1/responses", "body": []}')
    assert (found.lines, list(found.models), found.objects) == (4, [""], {})


def test_a_line_without_an_address_goes_to_that_of_its_batch():
    found = read('{"body": {"model": "m", "input": "x", "conversation": "conv_1"}}')
    assert list(found.objects) == [Reference("conversation", "conv_1", "conversation")]


def test_models_that_a_line_leaves_out_or_names_beside_its_own_are_noted():
    models = read(
        '{"url": "/v1/responses", "body": {"input": "x"}}',
        line("/v1/images/generations", prompt="x", svg={"model": "writer"}),
    ).models
    assert models[""].requests == 1
    assert models["writer"].requests == 0
