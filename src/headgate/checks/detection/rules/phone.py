"""How is a phone number told? By a country's code, or by its own country's plan and its spacing."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from typing import Final

from headgate.checks.detection.numbering_plan import REGIONS, is_international, national
from headgate.checks.detection.rule import Accept, Rule, Words, cue, digits_of, whole
from headgate.config.detection import Language

_CUES: Final[Words] = {
    "en": r"tele?(?:phone)?\b|phone|call|mobile|cell|fax\b|whatsapp|signal|ring|text (?:me|us|"
    r"him|her)"
    r"|sms\b|dial|reach|contact|answer|number is|landline|hotline|voicemail",
    "de": r"tel(?:efon|\.|:)|handy|mobil|rufnummer|anruf|ruf|erreich|durchwahl|fax|hotline|"
    r"festnetz|besetzt|abgenommen|geht .{0,10}ran",
    "fr": r"t[ée]l(?:[ée]phone|\.|:)|appel|portable|joindre|joignable|fixe|mon num[ée]ro|"
    r"contact|occup[ée]|r[ée]pond",
    "es": r"tel(?:[ée]fono|\.|:)|m[óo]vil|celular|llam|contact|contest|mi n[úu]mero",
    "it": r"tel(?:efono|\.|:)|cellulare|cell\.|chiam|mio numero|contatt|rispond|telefon",
    "nl": r"tel(?:efoon|\.|:)|mobiel|bel(?:len)?\b|bereik|mijn nummer|opne|neemt|06-nummer",
    "pt": r"tel(?:efone|em[óo]vel|\.|:)|celular|ligu?[aeo]|contat|atend|meu n[úu]mero",
    "zh": r"电话|手机|致电|联系|拨打|号码|来电|接听|热线|座机",
}

_NOT: Final = (
    r"(?i:\b(?:order|invoice|ticket|case|ref(?:erence)?|tracking|parcel|isbn(?:-1[03])?|issn|"
    r"sku|part|serial|"
    r"model|version|bestell\w*|rechnung\w*|auftrag\w*|sendungs\w*|commande|facture|pedido|"
    r"factura|fattura|"
    r"ordine|bestelling|factuur|encomenda|fatura|订单|发票|运单)[ :.#-]{0,3}"
    r"(?:(?:no|nr|num(?:ber|mer|[ée]ro|ero)?|id|code|is|ist|est|es|号)[ :.#-]{0,3}){0,2}#?)"
)

_EXTENSION: Final = r"(?:,? ?(?:x|ext\.?|extension|app\.|Durchwahl|poste|int\.) ?\d{1,5})?"
_GROUPS: Final = (
    r"(?:\b1[ .-]{1,2})?(?:\(\d{1,5}\) ?|\b\d{2,5}(?:[ .]| ?[/-] ?))"
    r"\d{2,9}(?:(?:[ .]| ?[/-] ?)\d{1,9}){0,4}"
)
_GROUPS_GATE: Final = r"\d[ .)/-]{1,3}\d{2,5}"


def rules(languages: Collection[Language]) -> list[Rule]:
    """Numbers of all countries with their codes; without, those of countries of `languages`."""
    regions = tuple(dict.fromkeys(region for one in languages for region in REGIONS[one]))
    words = cue(_CUES, languages)
    is_national = national(regions)
    return [
        Rule(
            kind="phone",
            gate=r"\+ ?\(?\d|\b00 ?[1-9]",
            shape=r"(?:\+ ?\(?|\b00 ?)[1-9]\d{0,2}\)?(?:[ .()/-]{0,3}\d){6,13}" + _EXTENSION,
            accept=_international,
            score=92,
            cue=words,
            cued_score=97,
            overlapping=True,
        ),
        Rule(
            kind="phone",
            gate=_GROUPS_GATE,
            shape=_GROUPS + _EXTENSION,
            accept=_grouped(is_national),
            alone=_is_long,
            score=62,
            cue=words,
            cued_score=84,
            unless=_NOT,
            overlapping=True,
        ),
        Rule(
            kind="phone",
            # In one piece: without a word for it, only mobile numbers that look like little else.
            shape=r"\b\d{8,12}\b",
            accept=whole(is_national),
            alone=_MOBILE.fullmatch,
            score=66,
            cue=words,
            cued_score=82,
            reach_bytes=36,
            unless=_NOT,
        ),
    ]


_MOBILE: Final = re.compile(r"1[3-9]\d{9}|0[67]\d{8,9}|01[5-7]\d{8,9}")
_OTHER: Final = re.compile(
    # Dates, numbers with a decimal point, of a year's papers, in the form of an SSN, and versions.
    r"(?:19|20)\d\d[-./ ][01]?\d[-./ ][0-3]?\d.*|[0-3]?\d[-./][0-3]?\d[-./](?:19|20)\d\d.*"
    r"|\d+\.\d+|.* 000 000|(?:19|20)\d\d-\d{4,6}|\d{3}-\d{2}-\d{4}"
    r"|(?:[1-9]\d?|\d{4,})\.[\d.]+|\d{3}\.(?:\d{1,2}|\d{4,})\.[\d.]+"
)
_TAIL: Final = re.compile(r"(?i),? ?(?:x|ext|app|durchwahl|poste|int).*")
_TAIL_FREE: Final = re.compile(r"[^A-Za-z,]*")
_DIGIT_RUN: Final = re.compile(r"\d+")


def _international(value: str) -> int:
    number = _TAIL.sub("", value).replace("(0)", "")
    digits = digits_of(number)
    if number[0] != "+":
        digits = digits[2:]
    return len(value) if is_international(digits) else 0


def _is_long(value: str) -> bool:
    return len(digits_of(_TAIL.sub("", value))) >= 9


def _grouped(is_dialled: Callable[[str], bool]) -> Accept:
    """Takes numbers in groups as people set them, with the extension behind them."""

    def accept(value: str) -> int:
        groups = _DIGIT_RUN.findall(value)
        if len(groups) < 2:
            return 0
        number = value
        if not _TAIL_FREE.fullmatch(value):
            number = _TAIL.sub("", value)
            groups = _DIGIT_RUN.findall(number)
        digits = "".join(groups)
        # A pair at the end has a pair before it; 643-86758-24 is no phone number.
        if (
            len(groups) < 2
            or len(groups[-1]) < 2
            or (len(groups[-1]) == 2 and len(groups[-2]) != 2)
        ):
            return 0
        if not 7 <= len(digits) <= 12 or not is_dialled(digits):
            return 0
        return 0 if _OTHER.fullmatch(number) else len(value)

    return accept
