"""Sound that a provider found in its prompt cache costs what its price list says."""

from __future__ import annotations

from headgate.config.settings import PriceSettings
from headgate.ledger.cost import Price, Rates
from headgate.ledger.prices import PriceList

RATES = Rates(
    input=4_000_000,
    cached_input=400_000,
    cache_write=4_000_000,
    output=16_000_000,
    input_audio=32_000_000,
    output_audio=64_000_000,
    cached_input_audio=300_000,
)


def cost(**tokens: int) -> int:
    return Price(version="x", rates=RATES).cost_nanousd(**tokens)


def test_cached_sound_has_its_own_rate():
    found = cost(
        input_tokens=100_000_000,
        input_audio_tokens=60_000_000,
        cached_tokens=30_000_000,
        cached_audio_tokens=20_000_000,
    )
    sound = 40 * 32_000_000 + 20 * 300_000
    texts = 30 * 4_000_000 + 10 * 400_000
    assert found == sound + texts


def test_without_a_rate_of_its_own_it_costs_as_other_sound():
    plain = Price(version="x", rates=Rates(**{
        name: getattr(RATES, name) for name in ("input", "cached_input", "cache_write", "output",
                                                "input_audio", "output_audio")
    }))  # fmt: skip
    assert plain.cost_nanousd(
        input_tokens=1_000_000, input_audio_tokens=1_000_000, cached_audio_tokens=1_000_000
    ) == 32_000_000  # fmt: skip


def test_the_public_list_has_it():
    price = PriceList({}).price_of("openai", "", "gpt-realtime", None)
    assert price is not None
    assert price.rates.cached_input_audio == 400_000_000
    mini = PriceList({}).price_of("openai", "", "gpt-realtime-mini", None)
    assert mini is not None
    assert (mini.rates.cached_input, mini.rates.cached_input_audio) == (60_000_000, 300_000_000)


def test_an_operator_sets_it():
    own = PriceList({"voice": PriceSettings(input="4", output="16", cached_input_audio="0.5")})
    price = own.price_of("openai", "", "voice", None)
    assert price is not None
    assert price.rates.cached_input_audio == 500_000_000
