"""What a request may use at worst is known before it is sent, and never less than it uses."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headgate.config.settings import PriceSettings
from headgate.gateway.endpoints import ENDPOINTS
from headgate.gateway.request import read_request
from headgate.gateway.worst_case import WorstCase
from headgate.ledger.allowances.claim import Claim
from headgate.ledger.prices import PriceList
from headgate.simulator.tokens import counted

PRICES = PriceList(
    {
        "cheap": PriceSettings(input="1", output="2"),
        "dear": PriceSettings(input="10", output="20"),
    }
)


def target(model: str) -> Any:
    provider = SimpleNamespace(price_list="nobody", price_address="")
    return SimpleNamespace(model=model, provider=provider)


def claims(body: dict[str, Any], *models: str, endpoint: str = "chat/completions") -> list[Claim]:
    request = read_request(ENDPOINTS[endpoint], json.dumps({"model": "m", **body}).encode())
    targets = tuple(target(model) for model in models or ("cheap",))
    worst = WorstCase(request, targets, PRICES, 4096)
    return [worst.by_size, worst.counted()]


def chat(text: str, **more: Any) -> dict[str, Any]:
    return {"messages": [{"role": "user", "content": text}], **more}


@settings(deadline=None)  # the first text loads the tokenizer
@given(st.text(max_size=500))
def test_no_text_costs_more_than_was_reserved_for_it(text: str):
    body = chat(text, max_tokens=1)
    loose, close = claims(body)
    real = counted(text)
    assert close.input_tokens >= real
    assert loose.nanousd >= close.nanousd >= real * 1000


@pytest.mark.parametrize(
    ("endpoint", "fields", "most"),
    [
        ("chat/completions", {"max_tokens": 50}, 50),
        ("chat/completions", {"max_completion_tokens": 60, "max_tokens": 50}, 60),
        ("chat/completions", {"max_tokens": 50, "n": 3}, 150),
        ("chat/completions", {"max_completion_tokens": 5, "max_tokens": 50}, 50),
        ("chat/completions", {"max_tokens": 5000.0}, 5000),
        ("chat/completions", {"max_tokens": "5000"}, 5000),
        ("chat/completions", {"max_tokens": 10**12}, 10**9),
        ("responses", {"max_output_tokens": 70}, 70),
        ("embeddings", {}, 0),
    ],
)
def test_a_request_that_says_how_much_may_be_written_is_taken_at_its_word(endpoint, fields, most):
    for claim in claims({"input": "x", **fields}, endpoint=endpoint):
        assert (claim.output_tokens, claim.output_stated) == (most, True)


@pytest.mark.parametrize("value", [None, -5, 0, "many", 1.5])
def test_what_is_no_number_of_tokens_is_assumed(value):
    claim = claims(chat("x", max_tokens=value))[0]
    assert (claim.output_tokens, claim.output_stated) == (4096, False)


def test_what_is_assumed_is_so_of_each_choice():
    claim = claims(chat("x", n=3))[0]
    assert (claim.output_tokens, claim.output_stated) == (3 * 4096, False)


def test_the_dearest_target_is_reserved_for():
    alone = claims(chat("x", max_tokens=100), "cheap")[0].nanousd
    ladder = claims(chat("x", max_tokens=100), "cheap", "dear")[0].nanousd
    assert ladder == alone * 10


def test_a_ladder_with_an_unpriced_rung_has_no_price():
    assert claims(chat("x"), "cheap", "who-knows")[0].nanousd is None


def test_moderations_are_free():
    claim = claims({"input": "x"}, "omni-moderation-latest", endpoint="moderations")[0]
    assert claim.nanousd == 0


def test_an_image_counts_by_what_it_is_and_not_by_its_bytes():
    def body(url: str) -> dict[str, Any]:
        part = {"type": "image_url", "image_url": {"url": url}}
        return {"messages": [{"role": "user", "content": [part]}], "max_tokens": 1}

    small = claims(body("https://example.com/a.png"))
    large = claims(body("data:image/png;base64," + "A" * 500_000))
    for claim in (*small, *large):
        assert 1600 <= claim.input_tokens < 7000


def test_what_a_model_that_nobody_named_costs_is_not_known():
    for endpoint, body in (
        ("responses", {"prompt": {"id": "pmpt_1"}}),
        ("images/generations", {"prompt": "A river"}),
    ):
        request = read_request(ENDPOINTS[endpoint], json.dumps(body).encode())
        worst = WorstCase(request, (target(""),), PRICES, 4096)
        assert worst.by_size.nanousd is worst.counted().nanousd is None
    request = read_request(ENDPOINTS["responses/input_tokens"], b'{"input": "Hello"}')
    assert WorstCase(request, (target(""),), PRICES, 4096).by_size.nanousd == 0


def test_what_a_second_model_costs_is_not_known():
    drawn = {"prompt": "A river", "output_format": "svg"}
    assert claims(drawn, endpoint="images/generations")[0].nanousd is None
    assert claims({"prompt": "A river"}, endpoint="images/generations")[0].nanousd is not None
