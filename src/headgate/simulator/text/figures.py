"""The numbers, amounts, addresses and identifiers a text names."""

from __future__ import annotations

import re

import msgspec

_NUMBER = re.compile(r"(?<![\w.])[-+]?\d{1,3}(?:,\d{3})+(?:\.\d+)?|(?<![\w.])[-+]?\d+(?:\.\d+)?")
_MONEY = re.compile(
    r"(?P<before>[$€£¥]|\b(?:USD|EUR|GBP|CHF|JPY)\b)\s*(?P<after_sign>\d[\d,.]*\d|\d)"
    r"|(?P<before_sign>\d[\d,.]*\d|\d)\s*(?P<after>[$€£¥]|\b(?:USD|EUR|GBP|CHF|JPY|euros?|dollars?"
    r"|pounds?)\b)",
    re.IGNORECASE,
)
_CURRENCIES = {"$": "USD", "€": "EUR", "£": "GBP", "¥": "JPY"}
_CURRENCY_WORDS = {"euro": "EUR", "dollar": "USD", "pound": "GBP"}

EMAIL = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)*\.[a-zA-Z]{2,}")
URL = re.compile(r"https?://[^\s<>\"')\]]+")
PHONE = re.compile(r"(?<![\w-])\+?\d[\d ()/-]{6,16}\d(?![\w-])")
IDENTIFIER = re.compile(
    r"#\d{2,}|\b[A-Z]{1,6}-?\d[\dA-Z-]*\b|\b[A-Z]{2,}(?:-[A-Z\d]+)+\b"
    r"|\b(?=[0-9a-f-]*\d)[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b"
)


class Money(msgspec.Struct, frozen=True):
    """An amount and its currency."""

    amount: float
    currency: str
    """ISO 4217."""
    text: str
    """As written."""


def numbers(text: str) -> list[float]:
    """The numbers in `text`, in order; thousands may be parted by commas."""
    return [float(found[0].replace(",", "")) for found in _NUMBER.finditer(text)]


def money(text: str) -> list[Money]:
    """The amounts of money in `text`, in order."""
    found = []
    for hit in _MONEY.finditer(text):
        sign = (hit["before"] or hit["after"]).lower()
        currency = _CURRENCIES.get(sign) or _CURRENCY_WORDS.get(sign.rstrip("s")) or sign.upper()
        digits = _decimal(hit["after_sign"] or hit["before_sign"])
        found.append(Money(float(digits), currency, hit[0].strip()))
    return found


def first(pattern: re.Pattern[str], text: str) -> str | None:
    """The first hit of one of this file's patterns, or None."""
    hit = pattern.search(text)
    return hit[0].rstrip(".,;") if hit else None


def _decimal(digits: str) -> str:
    """`1.234,50` and `1,234.50` alike as `1234.50`."""
    if re.search(r",\d{1,2}$", digits):
        return digits.replace(".", "").replace(",", ".")
    if re.search(r"\.\d{3}(?:\.|$)", digits) and "," not in digits:
        return digits.replace(".", "")
    return digits.replace(",", "")
