"""A cost is exact: the same as with unlimited decimals, rounded half up once."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal

from hypothesis import example, given
from hypothesis import strategies as st
from msgspec.structs import replace

from headgate.ledger.cost import Price, Rates

tokens = st.integers(0, 50_000_000)
rates = st.builds(
    Rates,
    **dict.fromkeys(
        ("input", "cached_input", "cache_write", "output", "input_audio", "output_audio"),
        st.integers(0, 600 * 10**9),
    ),
)


@st.composite
def usages(draw: st.DrawFn) -> dict[str, int]:
    """Counts of which the parts add up to no more than their wholes."""
    parts = {
        name: draw(tokens) for name in ("cached_tokens", "cache_write_tokens", "input_audio_tokens")
    }
    audio_output = draw(tokens)
    return {
        "input_tokens": sum(parts.values()) + draw(tokens),
        "output_tokens": audio_output + draw(tokens),
        "output_audio_tokens": audio_output,
        **parts,
    }


def reference(price: Price, usage: dict[str, int]) -> int:
    rates = price.rates
    for above, higher in price.long_context:
        if usage["input_tokens"] > above:
            rates = higher
    apart = (
        usage["cached_tokens"] * Decimal(rates.cached_input)
        + usage["cache_write_tokens"] * Decimal(rates.cache_write)
        + usage["input_audio_tokens"] * Decimal(rates.input_audio)
        + usage["output_audio_tokens"] * Decimal(rates.output_audio)
    )
    plain_input = (
        usage["input_tokens"]
        - usage["cached_tokens"]
        - usage["cache_write_tokens"]
        - usage["input_audio_tokens"]
    )
    plain_output = usage["output_tokens"] - usage["output_audio_tokens"]
    total = apart + plain_input * Decimal(rates.input) + plain_output * Decimal(rates.output)
    return int((total / 1_000_000).to_integral_value(ROUND_HALF_UP)) + price.request_nanousd


@given(rates, rates, st.integers(0, 100_000_000), st.integers(0, 10**8), usages())
def test_a_cost_is_exact_for_any_price_and_usage(
    rates: Rates, higher: Rates, above: int, request_nanousd: int, usage: dict[str, int]
):
    price = Price(
        version="test",
        rates=rates,
        long_context=((above, higher),),
        request_nanousd=request_nanousd,
    )
    assert price.cost_nanousd(**usage) == reference(price, usage)


@given(
    rates,
    st.fixed_dictionaries(
        {
            name: st.integers(-(10**9), 10**9)
            for name in (
                "input_tokens",
                "output_tokens",
                "cached_tokens",
                "cache_write_tokens",
                "input_audio_tokens",
                "output_audio_tokens",
            )
        }
    ),
)
@example(
    Rates(input=1, cached_input=1, cache_write=1, output=1, input_audio=1, output_audio=1),
    {
        "input_tokens": 10,
        "output_tokens": 10,
        "cached_tokens": 100,
        "cache_write_tokens": 100,
        "input_audio_tokens": 100,
        "output_audio_tokens": 100,
    },
)
def test_a_provider_that_miscounts_never_makes_a_cost_negative_or_larger_than_its_dearest_kind(
    rates: Rates, usage: dict[str, int]
):
    cost = Price(version="test", rates=rates).cost_nanousd(**usage)
    dearest_input = max(rates.input, rates.cached_input, rates.cache_write, rates.input_audio)
    dearest_output = max(rates.output, rates.output_audio)
    most = (
        max(0, usage["input_tokens"]) * dearest_input
        + max(0, usage["output_tokens"]) * dearest_output
    )
    assert 0 <= cost <= most // 1_000_000 + 1


def test_half_a_nano_dollar_is_rounded_up_once():
    price = Price(
        version="test",
        rates=Rates(
            input=500_000,
            cached_input=500_000,
            cache_write=0,
            output=500_000,
            input_audio=0,
            output_audio=0,
        ),
    )
    assert price.cost_nanousd(input_tokens=1) == 1
    assert price.cost_nanousd(input_tokens=1, output_tokens=1) == 1
    assert price.cost_nanousd(input_tokens=2, cached_tokens=1, output_tokens=1) == 2


def test_long_context_rates_hold_for_all_tokens_once_the_input_is_larger():
    base = Rates(
        input=10**9, cached_input=0, cache_write=0, output=0, input_audio=0, output_audio=0
    )
    price = Price(
        version="test",
        rates=base,
        long_context=(
            (1000, Rates(input=2 * 10**9, **ZERO)),
            (5000, Rates(input=3 * 10**9, **ZERO)),
        ),
    )
    assert price.cost_nanousd(input_tokens=1000) == 1000 * 1000
    assert price.cost_nanousd(input_tokens=1001) == 1001 * 2000
    assert price.cost_nanousd(input_tokens=5000) == 5000 * 2000
    assert price.cost_nanousd(input_tokens=5001) == 5001 * 3000


ZERO = {"cached_input": 0, "cache_write": 0, "output": 0, "input_audio": 0, "output_audio": 0}


def test_pictures_have_rates_of_their_own_where_they_are_known():
    known = Rates(
        input=2, cached_input=2, cache_write=2, output=3, input_audio=2, output_audio=3,
        input_image=5, output_image=7,
    )  # fmt: skip
    million = 1_000_000
    price = Price(version="x", rates=known)
    used = {"input_tokens": 3 * million, "output_tokens": 4 * million}
    plain = price.cost_nanousd(**used)
    assert plain == 3 * 2 + 4 * 3
    pictures = {"input_image_tokens": 1 * million, "output_image_tokens": 4 * million}
    assert price.cost_nanousd(**used, **pictures) == 2 * 2 + 5 + 4 * 7
    too_many = {"input_image_tokens": 9 * million, "output_image_tokens": 9 * million}
    assert price.cost_nanousd(**used, **too_many) == 3 * 5 + 4 * 7
    unknown = Price(version="x", rates=replace(known, input_image=None, output_image=None))
    assert unknown.cost_nanousd(**used, **pictures) == plain


@given(
    rates,
    rates,
    st.integers(0, 100_000_000),
    st.integers(0, 10**8),
    st.integers(-5, 50_000_000),
    st.integers(-5, 50_000_000),
)
def test_text_alone_costs_the_same_by_the_short_way(
    low, high, above, request_nanousd, input_tokens, output_tokens
):
    price = Price(
        version="v", rates=low, long_context=((above, high),), request_nanousd=request_nanousd
    )
    short = price.text_nanousd(input_tokens, output_tokens)
    assert short == price.cost_nanousd(input_tokens=input_tokens, output_tokens=output_tokens)
