"""How is a payment card's number told? By its issuer's digits and its check digit."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from headgate.checks.detection.rule import Rule, Words, cue, digits_of
from headgate.config.detection import Language

_CUES: Final[Words] = {
    "en": r"card|visa|master ?card|amex|american express|discover|diners|jcb|maestro|cc\b|pan\b",
    "de": r"karte|kreditkarte|kartennummer",
    "fr": r"carte",
    "es": r"tarjeta",
    "it": r"carta",
    "nl": r"kaart|creditcard|betaalkaart",
    "pt": r"cart[aã]o",
    "zh": r"卡号|信用卡|银行卡",
}

_CODES: Final[Words] = {
    "en": r"cvv2?|cvc2?|security code|card code",
    "de": r"prüfziffer|prüfnummer|sicherheitscode",
    "fr": r"cryptogramme|code de sécurité",
    "es": r"c[óo]digo de seguridad",
    "it": r"codice di sicurezza",
    "nl": r"beveiligingscode",
    "pt": r"c[óo]digo de segurança",
    "zh": r"安全码",
}


def rules(languages: Collection[Language]) -> list[Rule]:
    """Numbers in groups as they are printed on cards, and in one piece."""
    words = cue(_CUES, languages)
    return [
        Rule(
            kind="payment_card",
            shape=r"\b(?:\d{4}[ .-]{1,3}\d{4}[ .-]{1,3}\d{4}[ .-]{1,3}\d{1,7}"
            r"|\d{4}[ .-]{1,3}\d{6}[ .-]{1,3}\d{4,5})\b",
            accept=_card,
            score=92,
            cue=words,
            cued_score=98,
            overlapping=True,
        ),
        Rule(
            kind="payment_card",
            shape=r"\b\d{13,19}\b",
            accept=_card,
            score=80,
            cue=words,
            cued_score=96,
        ),
        Rule(
            kind="payment_card",
            # The three or four digits that prove that somebody holds the card.
            shape=r"\b\d{3,4}\b",
            cue=cue(_CODES, languages),
            cued_score=80,
            reach_bytes=12,
        ),
    ]


def _card(value: str) -> int:
    digits = digits_of(value)
    return len(value) if _is_issued(digits) and _luhn(digits) else 0


def _is_issued(digits: str) -> bool:
    """Whether an issuer gives out numbers that begin so and are so long (ISO/IEC 7812)."""
    length, two, three, four = len(digits), digits[:2], digits[:3], digits[:4]
    if digits[0] == "4":
        return length in (13, 16, 19)
    if two in ("34", "37"):
        return length == 15
    if "51" <= two <= "55" or "2221" <= four <= "2720":
        return length == 16
    if two in ("36", "38", "39") or "300" <= three <= "305":
        return 14 <= length <= 19
    if four == "6011" or two == "65" or "644" <= three <= "649" or two in ("62", "35", "81"):
        return 16 <= length <= 19
    if two in ("50", "56", "57", "58", "60", "63", "67"):
        return 12 <= length <= 19
    return "2200" <= four <= "2204" and 16 <= length <= 19


_DOUBLED: Final = (0, 2, 4, 6, 8, 1, 3, 5, 7, 9)


def _luhn(digits: str) -> bool:
    numbers = [int(digit) for digit in reversed(digits)]
    total = sum(numbers[::2]) + sum(_DOUBLED[number] for number in numbers[1::2])
    return total % 10 == 0 and len(set(numbers)) > 1
