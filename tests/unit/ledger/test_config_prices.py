"""Prices of the operator's own go before the public ones, and are refused where they are wrong."""

from __future__ import annotations

import pytest

from headgate.config.settings import PriceSettings
from headgate.errors import ConfigError
from headgate.ledger.prices import PriceList

OPENAI = "https://api.openai.com/v1"


def test_a_price_of_your_own_goes_before_the_public_one():
    prices = PriceList({"gpt-4o": PriceSettings(input="1", output="2")})
    price = prices.price_of("openai", OPENAI, "gpt-4o", None)
    assert price is not None
    assert price.version == "config"
    assert price.cost_nanousd(input_tokens=1_000_000, output_tokens=1_000_000) == 3 * 10**9


def test_an_exact_name_goes_before_a_pattern_and_patterns_go_in_order():
    prices = PriceList(
        {
            "llama-*": PriceSettings(input="1", output="0"),
            "llama-3*": PriceSettings(input="2", output="0"),
            "llama-3.1": PriceSettings(input="3", output="0"),
        }
    )

    def input_rate(model: str) -> int:
        price = prices.price_of("local", "http://127.0.0.1:8000/v1", model, None)
        assert price is not None
        return price.rates.input

    assert input_rate("llama-3.1") == 3 * 10**9
    assert input_rate("llama-3.2") == 1 * 10**9


def test_what_is_left_out_costs_as_its_kind():
    prices = PriceList({"m": PriceSettings(input="0.15", output="0.6")})
    price = prices.price_of("p", "", "m", None)
    assert price is not None
    assert price.rates.cached_input == price.rates.cache_write == price.rates.input_audio
    assert price.rates.input_audio == price.rates.input == 150_000_000
    assert price.rates.output_audio == price.rates.output == 600_000_000


def test_each_kind_may_have_its_own_amount():
    prices = PriceList(
        {
            "m": PriceSettings(
                input="1", output="2", cached_input="0", input_audio="4", output_audio="5"
            )
        }
    )
    price = prices.price_of("p", "", "m", None)
    assert price is not None
    assert price.cost_nanousd(
        input_tokens=3,
        cached_tokens=1,
        input_audio_tokens=1,
        output_tokens=2,
        output_audio_tokens=1,
    ) == 1000 * (1 + 0 + 4 + 2 + 5)


def test_a_tier_needs_a_price_of_its_own_beside_yours():
    own = {"gpt-5": PriceSettings(input="1", output="2")}
    assert PriceList(own).price_of("openai", OPENAI, "gpt-5", "flex") is None

    own["gpt-*@flex"] = PriceSettings(input="0.5", output="1")
    price = PriceList(own).price_of("openai", OPENAI, "gpt-5", "flex")
    assert price is not None
    assert price.rates.input == 500_000_000
    assert PriceList(own).price_of("openai", OPENAI, "gpt-5", "priority") is None


@pytest.mark.parametrize(
    "amount", ["", "free", "-1", "NaN", "Infinity", "1e400000", "0.0000000001", "1000001", "0,15"]
)
def test_an_amount_that_is_no_price_is_refused_by_name(amount: str):
    with pytest.raises(ConfigError, match=r"prices\.gpt-4o\.cached_input: .* US dollars"):
        PriceList({"gpt-4o": PriceSettings(input="1", output="2", cached_input=amount)})


def test_an_own_price_needs_no_public_list():
    prices = PriceList({"*": PriceSettings(input="1", output="1")})
    prices.price_of("openai", OPENAI, "gpt-4o", None)
    assert prices._public is None
