"""How is a phone number told? By a country's code, or by its own country's plan and its spacing."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from typing import Final

from headgate.checks.detection.numbering_plan import REGIONS, is_international, is_national
from headgate.checks.detection.rule import Accept, Rule, Words, cue, digits_of, whole
from headgate.config.detection import Language

_CUES: Final[Words] = {
    "en": r"tele?(?:phone)?\b|phone|call|mobile|cell|fax\b|whatsapp|signal|ring|text (?:me|us|him|her)"
    r"|sms\b|dial|reach|contact|number is|landline|hotline|voicemail",
    "de": r"tel(?:efon|\.|:)|handy|mobil|rufnummer|anruf|ruf|erreich|durchwahl|fax|hotline|festnetz",
    "fr": r"t[ée]l(?:[ée]phone|\.|:)|appel|portable|joindre|joignable|fixe|num[ée]ro|contact",
    "es": r"tel(?:[ée]fono|\.|:)|m[óo]vil|celular|llam|contact|n[úu]mero",
    "it": r"tel(?:efono|\.|:)|cellulare|cell\.|chiam|numero|contatt|telefon",
    "nl": r"tel(?:efoon|\.|:)|mobiel|bel(?:len)?\b|bereik|nummer|06-nummer",
    "pt": r"tel(?:efone|em[óo]vel|\.|:)|celular|ligu?[aeo]|contat|n[úu]mero",
    "zh": r"电话|手机|致电|联系|拨打|号码|来电|热线|座机",
}

_NOT: Final = (
    r"(?i:\b(?:order|invoice|ticket|case|ref(?:erence)?|tracking|parcel|isbn(?:-1[03])?|issn|sku|part|serial|"
    r"model|version|bestell\w*|rechnung\w*|auftrag\w*|sendungs\w*|commande|facture|pedido|factura|fattura|"
    r"ordine|bestelling|factuur|encomenda|fatura|订单|发票|运单)[ :.#-]{0,3}"
    r"(?:(?:no|nr|num(?:ber|mer|[ée]ro|ero)?|id|code|is|ist|est|es|号)[ :.#-]{0,3}){0,2}#?)"
)


def rules(languages: Collection[Language]) -> list[Rule]:
    """Numbers of all countries with their codes; without, those of countries of `languages`."""
    regions = tuple(dict.fromkeys(region for one in languages for region in REGIONS[one]))
    words = cue(_CUES, languages)

    def national(value: str) -> bool:
        return not _DATE.fullmatch(value) and is_national(digits_of(value), regions)

    extension = r"(?:,? ?(?:x|ext\.?|extension|app\.|Durchwahl|poste|int\.) ?\d{1,5})?"
    return [
        Rule(
            kind="phone",
            gate=r"\+ ?\(?\d|\b00[1-9]",
            shape=rf"(?:\+ ?\(?|\b00 ?)[1-9]\d{{0,2}}\)?(?:[ .()/-]{{0,3}}\d){{6,13}}{extension}",
            accept=_international,
            score=92,
            cue=words,
            cued_score=97,
            overlapping=True,
        ),
        Rule(
            kind="phone",
            # In groups.
            gate=r"\d[ .)/-]{1,3}\d{2,5}",
            shape=rf"(?:\(\d{{1,5}}\)|\b\d{{2,5}})(?:(?:[ .-]| ?[/-] ?|\) ?)?\d{{2,9}}"
            rf"|[ .-]\d){{1,5}}{extension}",
            accept=_grouped(national),
            score=62,
            cue=words,
            cued_score=93,
            unless=_NOT,
            overlapping=True,
        ),
        Rule(
            kind="phone",
            # In one piece, as mobile numbers of some countries that look like little else.
            shape=r"\b(?:1[3-9]\d{9}|0[67]\d{8,9}|01[5-7]\d{8,9})\b",
            accept=whole(national),
            score=66,
            cue=words,
            cued_score=93,
            unless=_NOT,
        ),
        Rule(
            kind="phone",
            shape=r"\b\d{8,12}\b",
            accept=whole(national),
            cue=words,
            cued_score=82,
            reach_bytes=32,
            unless=_NOT,
        ),
    ]


_DATE: Final = re.compile(
    r"(?:19|20)\d\d[-./ ][01]?\d[-./ ][0-3]?\d.*|[0-3]?\d[-./][0-3]?\d[-./](?:19|20)\d\d.*"
)
_EXTENSION: Final = re.compile(r"(?i),? ?(?:x|ext|app|durchwahl|poste|int).*")


def _international(value: str) -> int:
    number = _EXTENSION.sub("", value).replace("(0)", "")
    digits = digits_of(number)
    if number[0] != "+":
        digits = digits[2:]
    return len(value) if is_international(digits) else 0


def _grouped(national: Callable[[str], bool]) -> Accept:
    """Takes numbers in groups, with the extension behind them."""

    def accept(value: str) -> int:
        number = _EXTENSION.sub("", value)
        return len(value) if 7 <= len(digits_of(number)) <= 12 and national(number) else 0

    return accept
