"""Which target of a route is asked first."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from route_targets import asked, models, targets

from headgate.config.grading import ClassifierSettings
from headgate.config.routes import WhenSettings
from headgate.gateway.strategies import Cheapest, Fastest, Tiered, Weighted
from headgate.ledger.cost import Price, Rates

NEVER = 0.99


@given(st.lists(st.integers(1, 1000), min_size=1, max_size=6), st.floats(0, 1, exclude_max=True))
def test_every_target_stays_on_the_ladder_whatever_the_draw(weights, draw) -> None:
    ladder = targets(*map(str, range(len(weights))))
    found = Weighted(tuple(weights), lambda: draw).order(ladder, asked())
    assert sorted(models(found)) == sorted(models(ladder))


@given(st.lists(st.integers(1, 100), min_size=2, max_size=5), st.integers(0, 2**32))
def test_each_is_first_as_often_as_its_weight_says(weights, seed) -> None:
    ladder = targets(*map(str, range(len(weights))))
    strategy = Weighted(tuple(weights), Random(seed).random)
    calls = 4000
    firsts = [strategy.order(ladder, asked_once)[0].model for _ in range(calls)]
    for index, weight in enumerate(weights):
        share = firsts.count(str(index)) / calls
        assert share == pytest.approx(weight / sum(weights), abs=0.05)


asked_once = asked()


def price(input_: int, output: int) -> Price:
    rates = Rates(
        input=input_, cached_input=0, cache_write=0, output=output, input_audio=0, output_audio=0
    )
    return Price(version="test", rates=rates)


PRICES = {"reads": price(1_000, 9_000), "writes": price(5_000, 2_000)}


def test_the_cheapest_depends_on_the_request() -> None:
    strategy = Cheapest(lambda target: PRICES.get(target.model))
    ladder = targets("unknown", "writes", "reads")
    long_question = asked(messages=[{"role": "user", "content": "x" * 40_000}], max_tokens=10)
    assert models(strategy.order(ladder, long_question)) == ["reads", "writes", "unknown"]
    long_answer = asked(max_completion_tokens=10_000)
    assert models(strategy.order(ladder, long_answer)) == ["writes", "reads", "unknown"]


def test_the_one_that_was_fastest_of_late_is_first() -> None:
    ladder = targets("slow", "fast")
    for target, latency_s in zip(ladder, (2.0, 0.5), strict=True):
        target.health.streamed.note(latency_s, 10.0)
    fastest = Fastest(0.05, lambda: NEVER, lambda: 11.0)
    assert models(fastest.order(ladder, asked(stream=True))) == ["fast", "slow"]
    assert models(fastest.order(ladder, asked())) == ["slow", "fast"]
    for _ in range(30):
        ladder[0].health.streamed.note(0.01, 11.0)
    assert models(fastest.order(ladder, asked(stream=True))) == ["slow", "fast"]


def test_one_that_was_never_measured_is_tried() -> None:
    ladder = targets("measured", "new")
    ladder[0].health.whole.note(0.1, 10.0)
    fastest = Fastest(0.05, lambda: NEVER, lambda: 10.0)
    assert models(fastest.order(ladder, asked())) == ["new", "measured"]


def test_a_share_of_the_calls_measures_another() -> None:
    ladder = targets("fast", "slow", "slower")
    for target, latency_s in zip(ladder, (0.1, 1.0, 2.0), strict=True):
        target.health.whole.note(latency_s, 0.0)
    strategy = Fastest(0.2, Random(7).random, lambda: 0.0)
    firsts = [strategy.order(ladder, asked_once)[0].model for _ in range(5000)]
    assert firsts.count("slow") / 5000 == pytest.approx(0.1, abs=0.02)
    assert firsts.count("slower") / 5000 == pytest.approx(0.1, abs=0.02)


RULES = (
    WhenSettings(max_input_tokens=100, complexity=("low",)),
    WhenSettings(workflows=("triage-*",)),
    WhenSettings(features=("search",), without=("vision",)),
    WhenSettings(needs=("tools",)),
    None,
)
LADDER = targets("tiny", "triage", "search", "tools", "rest")
TOOLS = [{"type": "function", "function": {"name": "look"}}]
IMAGE = [
    {"role": "user", "content": [{"type": "image_url", "image_url": {"url": "https://x/y.png"}}]}
]


@pytest.mark.parametrize(
    ("request_", "first"),
    [
        (asked(complexity="low"), "tiny"),
        (asked(complexity="high"), "rest"),
        (asked(), "rest"),
        (
            asked(complexity="low", messages=[{"role": "user", "content": "x" * 1000}]),
            "rest",
        ),
        (asked(workflow="triage-mail"), "triage"),
        (asked(workflow="report"), "rest"),
        (asked(feature="search"), "search"),
        (asked(feature="search", messages=IMAGE), "rest"),
        (asked(tools=TOOLS), "tools"),
        (asked(tools=[]), "rest"),
        (asked(messages=[{"role": "user", "content": 'say "image_url"'}], feature="search"),
         "search"),
    ],
)  # fmt: skip
def test_the_first_rule_that_fits_chooses_the_rung(request_, first) -> None:
    found = models(Tiered(RULES).order(LADDER, request_))
    assert found[0] == first
    assert found == models(LADDER)[-len(found) :], "what comes after it stays the ladder"


@pytest.mark.parametrize(("rungs_up", "first"), [(0, "triage"), (1, "search"), (9, "rest")])
def test_what_failed_its_checks_is_asked_further_up(rungs_up, first) -> None:
    again = asked(workflow="triage-mail", rungs_up=rungs_up)
    assert models(Tiered(RULES).order(LADDER, again))[0] == first


GRADER = ClassifierSettings(model="m", otherwise="hard")
GRADED = (
    WhenSettings(complexity=("low",)),
    WhenSettings(grades=("simple",), without=("tools",)),
    WhenSettings(features=("search",)),
    None,
)
GRADED_LADDER = targets("hinted", "simple", "search", "rest")


@pytest.mark.parametrize(
    ("request_", "waits"),
    [
        (asked(), True),
        (asked(feature="search"), True),
        (asked(grade="hard"), False),
        (asked(complexity="low"), False),
        (asked(tools=TOOLS), False),
        (asked(tools=TOOLS, feature="search"), False),
    ],
)
def test_a_grade_is_waited_for_only_where_no_rule_before_it_decides(request_, waits) -> None:
    assert Tiered(GRADED, GRADER).waits_for_grade(request_) is waits
    assert not Tiered(RULES).waits_for_grade(request_)


@pytest.mark.parametrize(
    ("grade", "first"),
    [("simple", "simple"), ("hard", "rest"), (None, "rest"), ("of another route", "rest")],
)
def test_a_grade_chooses_the_rung(grade, first) -> None:
    assert models(Tiered(GRADED, GRADER).order(GRADED_LADDER, asked(grade=grade)))[0] == first


def test_without_a_grade_the_declared_one_is_taken() -> None:
    kind = ClassifierSettings(model="m", otherwise="simple")
    assert models(Tiered(GRADED, kind).order(GRADED_LADDER, asked()))[0] == "simple"


def test_a_response_with_an_image_needs_vision() -> None:
    picture = [{"role": "user", "content": [{"type": "input_image", "image_url": "https://x"}]}]
    assert asked("responses", input=picture).needs == {"vision"}
    assert asked("responses", input="plain").needs == set()
