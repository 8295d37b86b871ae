"""Money is exact for programs and legible for people."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headgate.ledger.money import header_usd, shown_usd


@given(st.integers(-(10**18), 10**18))
def test_the_header_is_exact_and_plain(cost_nanousd: int):
    text = header_usd(cost_nanousd)
    assert Decimal(text) * 10**9 == cost_nanousd
    assert set(text) <= set("-0123456789.")
    assert not text.endswith(".")


@pytest.mark.parametrize(
    ("cost_nanousd", "text"),
    [(0, "0"), (1, "0.000000001"), (123_000, "0.000123"), (1_500_000_000, "1.5"), (10**10, "10")],
)
def test_the_header_has_no_more_digits_than_it_needs(cost_nanousd: int, text: str):
    assert header_usd(cost_nanousd) == text


@pytest.mark.parametrize(
    ("cost_nanousd", "text"),
    [
        (None, "unpriced"),
        (0, "$0.00"),
        (1, "$0.000000001"),
        (123_456, "$0.000123"),
        (12_345_678, "$0.0123"),
        (500_000_000, "$0.50"),
        (999_400_000, "$0.999"),
        (999_600_000, "$1.00"),
        (1_234_567_890_123, "$1,234.57"),
        (-500_000_000, "-$0.50"),
    ],
)
def test_people_read_dollars(cost_nanousd: int | None, text: str):
    assert shown_usd(cost_nanousd) == text


@given(st.integers(1, 10**15))
def test_what_people_read_is_never_off_by_more_than_half_a_percent(cost_nanousd: int):
    shown = Decimal(shown_usd(cost_nanousd).replace("$", "").replace(",", "")) * 10**9
    assert abs(shown - cost_nanousd) * 200 <= cost_nanousd
