"""How nano-dollars are written: exactly for programs, legibly for people."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal

_NANO = 1_000_000_000


def header_usd(cost_nanousd: int) -> str:
    """The exact amount in dollars as a plain decimal, such as `0.000123` or `1.5` or `0`."""
    sign = "-" if cost_nanousd < 0 else ""
    dollars, nano = divmod(abs(cost_nanousd), _NANO)
    return f"{sign}{dollars}.{nano:09d}".rstrip("0").rstrip(".")


def shown_usd(cost_nanousd: int | None) -> str:
    """The amount for people: `$0.000123`, `$0.50`, `$1,234.57`; `unpriced` where none is known.

    Cents from a dollar on; below, three digits that count, and never fewer than cents.
    """
    if cost_nanousd is None:
        return "unpriced"
    amount = Decimal(abs(cost_nanousd)) / _NANO
    if amount and amount < 1:
        amount = amount.quantize(Decimal(1).scaleb(amount.adjusted() - 2), ROUND_HALF_UP)
    cents = amount.quantize(Decimal("0.01"), ROUND_HALF_UP)
    text = f"{cents:,f}" if amount >= 1 or amount == cents else f"{amount:f}".rstrip("0")
    return f"-${text}" if cost_nanousd < 0 else f"${text}"
