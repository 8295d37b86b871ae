"""Four times the text takes about four times as long, whatever stands in it."""

from __future__ import annotations

import time

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from headgate.checks.detection import Detector

DETECTOR = Detector(least_score=30)

UNITS = [
    "\\",
    "\\u00e9",
    '\\"',
    "a",
    "1",
    " ",
    "\n",
    "a@",
    "a.a@a.",
    "1 ",
    "12 ",
    "123-",
    "1234 ",
    "4242 4242 4242 424",
    "+1",
    "(1)",
    "DE89 ",
    "DE12ABCD",
    "a:",
    "::",
    "1.",
    "1.1.1.",
    "00:",
    "born ",
    "born 1.1.",
    "passport ",
    "SSN 1",
    "eyJ",
    "eyJaaaaaaaa.",
    "sk-",
    "-----BEGIN PRIVATE KEY-----",
    "://a:",
    "://a:b@",
    "password: ",
    "password is is ",
    "Dear A",
    "Mr. Mr. ",
    "A B ",
    "Aa de la ",
    "Regards\n",
    "Name: ",
    "Rue de la ",
    "1 rue de ",
    "Calle A ",
    "Aastraat ",
    "路",
    "北京市路",
    "1号",
    "公司",
    "我叫王",
    "P<AAA<<<<",
    "\u200b",
    "４",
    "é",
    "\ud800",
    " [at] ",
    "a [at] b ",
    "Bearer ",
    "A & ",
    "Inc ",
    "%40",
    "%c3%",
    "%e4%b8",
    "&",
    "&#64;",
    "&#1",
    "&abcdefgh",
    "a%40a.",
]

SIZE = 2_000


def _seconds(text: str) -> float:
    best = 1e9
    for _ in range(2):
        began = time.thread_time()
        DETECTOR.find(text)
        best = min(best, time.thread_time() - began)
    return best


def _check(unit: str) -> None:
    short = (unit * (SIZE // len(unit) + 1))[:SIZE]
    # A quadratic search would take sixteen times as long.
    assert _seconds(short * 4) < 9 * _seconds(short) + 0.02, unit


@pytest.mark.parametrize("unit", UNITS)
def test_a_repeated_beginning_of_a_value(unit):
    _check(unit)


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.sampled_from(UNITS), min_size=1, max_size=4).map("".join))
def test_any_row_of_beginnings(unit):
    _check(unit)
