"""A batch of embeddings pays only for what is new, and its answer is put together right."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from kept_answers import fields_of

from headgate.gateway.cache.batch import Batch, Item, read_batch, split
from headgate.gateway.endpoints import Usage

KEY = b"batch key"

_items = st.lists(st.sampled_from("abcdefgh"), min_size=1, max_size=12)


def batch_of(given_input: Any, key: bytes = KEY) -> Batch:
    batch = read_batch(fields_of(json.dumps({"input": given_input}).encode()), key)
    assert batch is not None
    return batch


def vector(text: str) -> list[float]:
    return [float(ord(text)), 0.25]


def reply(asked: list[str]) -> bytes:
    """What a provider answers, in any order."""
    data = [{"index": i, "embedding": vector(t)} for i, t in enumerate(asked)]
    return json.dumps({"data": list(reversed(data)), "model": "e"}).encode()


@given(_items, _items)
def test_a_batch_after_another_asks_for_what_is_new_and_is_answered_in_order(
    first: list[str], second: list[str]
):
    before = batch_of(first)
    known = before.read(reply(first), range(len(first)), Usage(input_tokens=len(first)), 1000)
    assert known is not None
    batch = batch_of(second)
    positions = batch.missing(known)
    asked = json.loads(bytes(batch.input_of(positions)))
    assert sorted(asked) == sorted(set(second) - set(first))
    if asked:
        new = batch.read(reply(asked), positions, Usage(input_tokens=len(asked)), 77)
        assert new is not None
        assert sum(item.cost_nanousd or 0 for item in new.values()) == 77
        known = known | new
    body, usage = batch.whole(known, "e")
    told = json.loads(body)
    assert [item["embedding"] for item in told["data"]] == [vector(text) for text in second]
    assert [item["index"] for item in told["data"]] == list(range(len(second)))
    assert told["usage"]["prompt_tokens"] == usage.input_tokens
    assert told["object"] == "list"


@given(st.integers(0, 10**9), st.lists(st.integers(1, 1000), min_size=1, max_size=50))
def test_a_sum_is_split_without_loss(total: int, weights: list[int]):
    parts = split(total, weights)
    assert sum(part or 0 for part in parts) == total
    assert all(part is not None and part >= 0 for part in parts)


def test_a_sum_that_is_not_known_is_not_invented():
    assert split(None, [1, 2]) == [None, None]


def test_a_text_a_list_of_one_and_its_place_in_a_list_are_the_same_item():
    assert batch_of("a").keys == batch_of(["a"]).keys
    assert batch_of(["b", "a"]).keys[1] == batch_of("a").keys[0]


def test_tokens_and_texts_are_different_items():
    assert len(batch_of([1, 2, 3]).keys) == 1
    assert len(batch_of([[1, 2], [3]]).keys) == 2
    assert batch_of([1, 2]).keys == batch_of([[1, 2]]).keys
    assert batch_of("1").keys != batch_of([1]).keys


def test_items_of_other_requests_are_other_items():
    assert batch_of("a", b"one").keys != batch_of("a", b"other").keys


@pytest.mark.parametrize(
    "given_input", [[], ["a", 1], [[1], "a"], {"a": 1}, None, 3, ["a"] * 5000, [1.5]]
)
def test_an_input_that_is_none_goes_its_way_whole(given_input: Any):
    assert read_batch(fields_of(json.dumps({"input": given_input}).encode()), KEY) is None


@pytest.mark.parametrize(
    "body",
    [
        b"{}",
        b"nonsense",
        b'{"data":[{"index":0,"embedding":[1]}]}',
        b'{"data":[{"index":0,"embedding":[1]},{"index":0,"embedding":[1]}]}',
        b'{"data":[{"index":0,"embedding":[1]},{"index":2,"embedding":[1]}]}',
    ],
)
def test_a_reply_without_a_vector_for_each_item_is_refused(body: bytes):
    assert batch_of(["a", "b"]).read(body, range(2), Usage(), None) is None


def test_a_vector_is_kept_byte_for_byte():
    body = b'{"data":[{"index":0,"embedding":[0.10, -1e-9]}]}'
    batch = batch_of("a")
    items = batch.read(body, [0], Usage(input_tokens=1), None)
    assert items == {batch.keys[0]: Item(b"[0.10, -1e-9]", 1, None)}
