"""How is a date of birth told? It is a date, and somebody is said to be born."""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Final

from headgate.checks.detection.rule import Rule, Words, cue
from headgate.config.detection import Language

_CUES: Final[Words] = {
    "en": r"born|d\.?o\.?b\b|(?:date of )?birth|b-?day",
    "de": r"geb(?:oren|urt|\.|\b)",
    "fr": r"n(?:é|e|ée|ee)s? le|naiss|date de n\b",
    "es": r"nac(?:id|imiento|ió|io|í)|cumplea|f\. ?nac",
    "it": r"nat[oa] il|nat[oa]\b|nascita|compleanno",
    "nl": r"geb(?:oren|oorte|\.|\b)|verjaar",
    "pt": r"nasc(?:id|imento|eu|i)|anivers[aá]rio",
    "zh": r"出生|生日|生于|出生日期|诞辰",
}

_MONTHS: Final[Words] = {
    "en": "jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?"
    "|sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?",
    "de": "januar|jänner|februar|märz|april|mai|juni|juli|august|september|oktober|november"
    "|dezember|jan|feb|mär|apr|jun|jul|aug|sep|okt|nov|dez",
    "fr": "janvier|février|mars|avril|mai|juin|juillet|août|septembre|octobre|novembre|décembre"
    "|janv|févr|avr|juil|sept|oct|nov|déc",
    "es": "enero|febrero|marzo|abril|mayo|junio|julio|agosto|sept?iembre|octubre|noviembre"
    "|diciembre|ene|feb|mar|abr|may|jun|jul|ago|sep|oct|nov|dic",
    "it": "gennaio|febbraio|marzo|aprile|maggio|giugno|luglio|agosto|settembre|ottobre|novembre"
    "|dicembre|gen|feb|mar|apr|mag|giu|lug|ago|set|ott|nov|dic",
    "nl": "januari|februari|maart|april|mei|juni|juli|augustus|september|oktober|november|december"
    "|jan|feb|mrt|apr|jun|jul|aug|sep|okt|nov|dec",
    "pt": "janeiro|fevereiro|março|abril|maio|junho|julho|agosto|setembro|outubro|novembro"
    "|dezembro|jan|fev|mar|abr|mai|jun|jul|ago|set|out|nov|dez",
}


def rules(languages: Collection[Language]) -> list[Rule]:
    """Dates in digits, and with the month as a word of `languages`."""
    months = "|".join(_MONTHS[one] for one in languages if one in _MONTHS)
    forms = [
        r"\b\d{1,2}(?:[./-]| [./-] )\d{1,2}(?:[./-]| [./-] )(?:\d{4}|\d{2})\b",
        r"\b\d{4}[./-]\d{1,2}[./-]\d{1,2}\b",
        r"\d{4} ?年 ?\d{1,2} ?月 ?\d{1,2} ?[日号]",
        r"\b(?:19|20)\d{6}\b",
    ]
    if months:
        day_first = rf"\b\d{{1,2}}(?:st|nd|rd|th|er|º|°|\.)? ?(?:of |de |d')?-?(?:{months})[.,]?-?"
        forms += [
            rf"{day_first} ?(?:de |del |of )?(?:\d{{4}}|'\d{{2}})\b",
            rf"\b(?:{months})\.? \d{{1,2}}(?:st|nd|rd|th)?,? \d{{4}}\b",
        ]
    return [
        Rule(
            kind="date_of_birth",
            shape=f"(?i:{'|'.join(forms)})",
            accept=_past,
            cue=cue(_CUES, languages),
            cued_score=88,
            reach_bytes=40,
            neighbours="word",
        )
    ]


def _past(value: str) -> int:
    numbers = [int(number) for number in re.findall(r"\d+", value)]
    if len(numbers) == 1:
        month, day = numbers[0] // 100 % 100, numbers[0] % 100
        return len(value) if 1 <= month <= 12 and 1 <= day <= 31 else 0
    small = [number for number in numbers if number <= 31]
    four = [number for number in numbers if number > 99]
    if any(not 1900 <= year <= 2099 for year in four) or not any(small):
        return 0
    return len(value) if len(small) + bool(four) >= 2 else 0
