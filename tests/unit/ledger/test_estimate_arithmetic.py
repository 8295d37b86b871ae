"""What a month costs is reckoned exactly, on every candidate, and hides no missing price."""

from __future__ import annotations

from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from headgate.ledger.cost import Price, Rates
from headgate.ledger.estimate import Candidate, Volume, Work, estimate, monthly, scaled

NOTHING = Volume(calls=0, input_tokens=0)


def candidate(model: str) -> Candidate:
    return Candidate(provider="openai", price_list="openai", price_address="", model=model)


def price(input_rate: int, output_rate: int = 0, cached: int | None = None, **more) -> Price:
    return Price(
        version="test",
        rates=Rates(
            input=input_rate,
            cached_input=input_rate if cached is None else cached,
            cache_write=input_rate,
            output=output_rate,
            input_audio=input_rate,
            output_audio=output_rate,
        ),
        **more,
    )


def work(name: str = "tickets", *models: str, **changes) -> Work:
    values = {
        "name": name,
        "asks_for": "triage",
        "standard": Volume(
            calls=100, input_tokens=100_000, cached_tokens=40_000, output_tokens=10_000
        ),
        "batch": NOTHING,
        "candidates": tuple(map(candidate, models or ("small",))),
    }
    return Work(**(values | changes))


PRICES = {
    ("small", None): price(1_000_000_000, 2_000_000_000, 500_000_000),
    ("small", "batch"): price(500_000_000, 1_000_000_000),
    ("large", None): price(10_000_000_000, 20_000_000_000),
    ("tiny", None): price(100_000_000, 200_000_000),
}


def price_of(one: Candidate, tier: str | None) -> Price | None:
    return PRICES.get((one.model, tier))


def test_a_month_is_the_sum_of_its_plain_cached_and_output_tokens():
    (option,) = estimate([work()], [], price_of).options
    assert option.month_nanousd == 60_000_000 + 20_000_000 + 20_000_000
    assert option.call_nanousd == 1_000_000
    assert (option.standing, option.candidate) == ("in use", "openai/small")


def test_batches_cost_their_own_price_and_are_unpriced_where_there_is_none():
    batch = Volume(calls=10, input_tokens=10_000)
    cheap, dear = estimate([work("w", "small", "large", batch=batch)], [], price_of).options
    assert cheap.month_nanousd == 100_000_000 + 5_000_000
    assert dear.month_nanousd is None
    assert dear.unpriced == ("batch",)


def test_an_unpriced_model_is_never_free_nor_the_cheapest():
    found = estimate([work("a", "secret", "large"), work("b", "small")], [], price_of)
    today, cheapest, dearest = found.plans
    assert dearest.unpriced_work == ("a",)
    assert today.unpriced_work == ("a",)
    assert today.month_nanousd == 100_000_000
    assert cheapest.unpriced_work == ()
    assert cheapest.month_nanousd == 1_200_000_000 + 100_000_000
    nothing_known = estimate([work("a", "secret")], [], price_of).plans[0]
    assert (nothing_known.month_nanousd, nothing_known.unpriced_work) == (None, ("a",))


def test_each_model_that_is_asked_about_takes_over_all_that_can_be_moved():
    search = work("search", "small", movable=False)
    found = estimate([work("a"), search], [candidate("tiny"), candidate("large")], price_of)
    assert [plan.name for plan in found.plans] == [
        "as it is",
        "all on openai/tiny",
        "all on openai/large",
    ]
    assert found.plans[1].month_nanousd == 12_000_000 + 100_000_000
    assert found.plans[1].kept_work == ("search",)
    assert [(o.work, o.candidate, o.standing) for o in found.options] == [
        ("a", "openai/small", "in use"),
        ("a", "openai/tiny", "asked"),
        ("a", "openai/large", "asked"),
        ("search", "openai/small", "in use"),
    ]


def test_a_model_that_is_asked_about_and_is_a_rung_stands_there_once():
    found = estimate([work("a", "small", "tiny")], [candidate("tiny")], price_of)
    assert [(o.candidate, o.standing) for o in found.options] == [
        ("openai/small", "in use"),
        ("openai/tiny", "rung"),
    ]
    assert found.plans[-1].month_nanousd == 12_000_000


def test_long_context_is_decided_by_the_size_of_one_call():
    long = price(1_000_000, long_context=((1_000, price(2_000_000).rates),), request_nanousd=3)
    assert long.calls_nanousd(10, input_tokens=10_000) == 10_000 + 30
    assert long.calls_nanousd(10, input_tokens=10_001) == 20_002 + 30


@given(
    calls=st.integers(1, 10_000),
    input_tokens=st.integers(0, 5_000),
    cached=st.integers(0, 5_000),
    output_tokens=st.integers(0, 5_000),
    rate=st.integers(0, 10**11),
)
def test_many_equal_calls_cost_what_they_cost_one_by_one_but_for_rounding(
    calls, input_tokens, cached, output_tokens, rate
):
    one = price(rate, rate * 4, rate // 10, long_context=((2_500, price(rate * 2).rates),))
    single = one.cost_nanousd(
        input_tokens=input_tokens, cached_tokens=cached, output_tokens=output_tokens
    )
    together = one.calls_nanousd(
        calls,
        input_tokens=calls * input_tokens,
        cached_tokens=calls * cached,
        output_tokens=calls * output_tokens,
    )
    assert abs(together - calls * single) <= calls // 2 + 1


@given(
    requests=st.integers(0, 10**6),
    days=st.integers(1, 31),
    shares=st.tuples(*[st.decimals(0, 1, places=3).map(float)] * 3),
)
def test_every_request_of_a_month_is_counted_once(requests, days, shares):
    cached, batch, answered = shares
    standard, batched, from_cache = monthly(
        requests_per_day=requests,
        days=days,
        input_tokens=100,
        output_tokens=7,
        cached_share=cached,
        batch_share=batch,
        answered_share=answered,
    )
    assert standard.calls + batched.calls + from_cache == requests * days
    assert min(standard.calls, batched.calls, from_cache) >= 0
    for volume in (standard, batched):
        assert volume.input_tokens == volume.calls * 100
        assert volume.output_tokens == volume.calls * 7
        assert 0 <= volume.cached_tokens <= volume.input_tokens


def test_shares_are_read_as_they_are_written():
    standard, batched, answered = monthly(
        requests_per_day=10,
        days=30,
        input_tokens=10,
        output_tokens=0,
        cached_share=0.1,
        batch_share=0.7,
        answered_share=0.1,
    )
    assert (standard.calls, batched.calls, answered) == (81, 189, 30)
    assert standard.cached_tokens == 81


@given(st.integers(0, 10**15), st.integers(1, 31), st.integers(86_400_000_000, 10**14))
def test_a_period_becomes_a_month_in_whole_numbers(count, days, period_us):
    exact = Fraction(count * days * 86_400_000_000, period_us)
    assert abs(scaled(count, days=days, period_us=period_us) - exact) <= Fraction(1, 2)
