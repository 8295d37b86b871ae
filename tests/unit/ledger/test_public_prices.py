"""The public prices are those of the installed list, for the right provider, tier and moment."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime
from decimal import ROUND_HALF_UP, Decimal

import pytest
from genai_prices import Usage, calc_price
from genai_prices.data import providers
from genai_prices.types import TieredPrices

from headgate.ledger.prices import PriceList

OPENAI = "https://api.openai.com/v1"
NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
TOKEN_KEYS = {
    "input_mtok",
    "cache_read_mtok",
    "cache_write_mtok",
    "output_mtok",
    "input_audio_mtok",
    "output_audio_mtok",
    "requests_kcount",
}


@pytest.fixture(scope="module")
def prices() -> PriceList:
    return PriceList({}, clock=NOW.timestamp)


def listed_models():
    """Models of some providers that are sold by tokens alone, each with what is priced of it."""
    for provider in providers:
        if provider.id not in {"openai", "anthropic", "google", "deepseek", "perplexity", "groq"}:
            continue
        for model in provider.models:
            # Some identifiers are only the beginning of the names that they stand for.
            found = provider.find_model(model.id, all_providers=providers)
            if found is None:
                continue
            listed = found.get_prices(NOW)
            keys = {key for key, value in listed.__dict__.items() if value is not None}
            if "input_mtok" in keys and keys <= TOKEN_KEYS and exact(listed):
                yield provider.id, model.id, keys


def exact(prices):
    for value in prices.__dict__.values():
        amounts = (
            [value.base, *(tier.price for tier in value.tiers)]
            if isinstance(value, TieredPrices)
            else [value]
        )
        if any(amount is not None and amount * 10**9 % 1 for amount in amounts):
            return False
    return True


def test_every_listed_model_costs_what_the_list_itself_calculates(prices: PriceList):
    compared = 0
    for provider, model, keys in listed_models():
        price = prices.price_of(provider, "", model, None)
        assert price is not None, (provider, model)
        for input_tokens in (0, 7, 199_999, 272_000, 272_001, 1_000_003):
            usage = {"input_tokens": input_tokens, "output_tokens": 1_234}
            if "cache_read_mtok" in keys:
                usage["cache_read_tokens"] = input_tokens // 3
            if "cache_write_mtok" in keys:
                usage["cache_write_tokens"] = input_tokens // 5
            if "input_audio_mtok" in keys:
                usage["input_audio_tokens"] = input_tokens // 7
            if "output_audio_mtok" in keys:
                usage["output_audio_tokens"] = 234
            theirs = calc_price(
                Usage(**usage), model, provider_id=provider, genai_request_timestamp=NOW
            ).total_price
            ours = price.cost_nanousd(
                input_tokens=input_tokens,
                output_tokens=usage["output_tokens"],
                cached_tokens=usage.get("cache_read_tokens", 0),
                cache_write_tokens=usage.get("cache_write_tokens", 0),
                input_audio_tokens=usage.get("input_audio_tokens", 0),
                output_audio_tokens=usage.get("output_audio_tokens", 0),
            )
            assert ours == nano(theirs), (provider, model, usage)
            compared += 1
    assert compared > 500


def nano(dollars: Decimal) -> int:
    return int((dollars * 10**9).to_integral_value(ROUND_HALF_UP))


@pytest.mark.parametrize("model", ["gpt-4o-2024-08-06", "gpt-4o-20240806", "GPT-4o"])
def test_a_dated_snapshot_has_its_models_price(prices: PriceList, model: str):
    assert prices.price_of("openai", OPENAI, model, None) == prices.price_of(
        "openai", OPENAI, "gpt-4o", None
    )


def test_a_price_names_the_list_and_its_version(prices: PriceList):
    price = prices.price_of("openai", OPENAI, "gpt-4o", None)
    assert price is not None
    assert price.version.startswith("genai-prices 0.")


@pytest.mark.parametrize(
    "model",
    ["no-such-model", "", "x" * 10_000, "whisper-1", "tts-1", "omni-moderation-latest"],
)
def test_a_model_without_a_price_for_tokens_is_unpriced(prices: PriceList, model: str):
    assert prices.price_of("openai", OPENAI, model, None) is None


@pytest.mark.parametrize("tier", [None, "", "auto", "default", "standard", "Default"])
def test_the_standard_tier_has_many_names(prices: PriceList, tier: str | None):
    price = prices.price_of("openai", OPENAI, "gpt-5", tier)
    assert price == prices.price_of("openai", OPENAI, "gpt-5", None)
    assert price is not None
    assert price.rates.input == 1_250_000_000


@pytest.mark.parametrize(
    ("tier", "input_rate"), [("flex", 625_000_000), ("priority", 2_500_000_000)]
)
def test_a_tier_with_a_price_of_its_own_has_that(prices: PriceList, tier: str, input_rate: int):
    price = prices.price_of("openai", OPENAI, "gpt-5-2025-08-07", tier)
    assert price is not None
    assert price.rates.input == input_rate


def test_a_batch_is_priced_as_a_batch(prices: PriceList):
    price = prices.price_of("openai", OPENAI, "gpt-4.1", "batch")
    assert price is not None
    assert (price.rates.input, price.rates.output) == (1_000_000_000, 4_000_000_000)


@pytest.mark.parametrize(
    ("model", "tier"), [("gpt-4o", "flex"), ("gpt-4o", "scale"), ("gpt-3.5-turbo", "priority")]
)
def test_a_tier_without_a_price_is_unpriced_and_never_the_standard_price(
    prices: PriceList, model: str, tier: str
):
    assert prices.price_of("openai", OPENAI, model, None) is not None
    assert prices.price_of("openai", OPENAI, model, tier) is None


def test_a_tier_is_not_taken_over_by_another_provider_that_serves_the_model(prices: PriceList):
    azure = "https://example.openai.azure.com/openai/v1"
    standard = prices.price_of("azure", azure, "gpt-5", None)
    assert standard is not None
    assert prices.price_of("azure", azure, "gpt-5", "priority") is None


def test_the_address_says_whose_price_it_is_before_the_name_does(prices: PriceList):
    groq = "https://api.groq.com/openai/v1"
    model = "openai/gpt-oss-120b"
    assert prices.price_of("openai", groq, model, None) == prices.price_of("groq", "", model, None)
    assert prices.price_of("openai", groq, "gpt-4o", None) is None


def test_an_unknown_address_goes_by_the_exact_name(prices: PriceList):
    proxy = "https://proxy.example/v1"
    assert prices.price_of("openai", proxy, "gpt-4o", None) is not None
    assert prices.price_of("not-openai", proxy, "gpt-4o", None) is None
    assert prices.price_of("", proxy, "gpt-4o", None) is None


def test_a_price_that_changes_is_seen_within_a_minute():
    clock = [datetime(2026, 7, 29, 23, 59, 30, tzinfo=UTC).timestamp()]
    prices = PriceList({}, clock=lambda: clock[0])
    before = prices.price_of("openai", OPENAI, "gpt-5.6-luna", None)
    clock[0] += 60
    after = prices.price_of("openai", OPENAI, "gpt-5.6-luna", None)
    assert before is not None
    assert after is not None
    assert after.rates.input < before.rates.input


def test_a_price_that_hangs_on_the_hour_follows_it():
    # DeepSeek's hours of day are part of the list since 2025.
    day = datetime(2025, 8, 1, tzinfo=UTC).timestamp()
    clock = [day + 16 * 3600 + 29 * 60 + 59]
    prices = PriceList({}, clock=lambda: clock[0])
    model = next(
        model
        for provider in providers
        if provider.id == "deepseek"
        for model in provider.models
        if model.id == "deepseek-chat"
    )
    seen = set()
    for step_s in (0, 1, 8 * 3600 - 1, 1):
        clock[0] += step_s
        price = prices.price_of("deepseek", "", "deepseek-chat", None)
        listed = model.get_prices(datetime.fromtimestamp(clock[0], UTC))
        assert price is not None
        assert price.rates.input == nano(listed.input_mtok)
        seen.add(price.rates.input)
    assert len(seen) == 2


def test_many_models_do_not_grow_the_cache_without_bound(prices: PriceList):
    for number in range(5_000):
        prices.price_of("nobody", "", f"model-{number}", None)
    assert len(prices._cache) <= 4096
    assert prices.price_of("openai", OPENAI, "gpt-4o", None) is not None


def test_the_list_is_not_imported_before_it_is_needed():
    code = (
        "import sys; from headgate.ledger.prices import PriceList; prices = PriceList({});"
        "assert 'genai_prices' not in sys.modules;"
        "prices.load(); assert 'genai_prices' in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


def test_the_providers_that_can_be_named_are_told(prices: PriceList):
    assert {"openai", "azure", "groq"} <= set(prices.provider_ids())
