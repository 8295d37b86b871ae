"""How is a number told that a health service knows a person by? By check digits, or its words."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from headgate.checks.detection.rule import Rule, whole
from headgate.checks.detection.rules.numbering import Form, rules_of, weighted
from headgate.config.detection import Language


def rules(languages: Collection[Language]) -> list[Rule]:
    """Numbers of every country: a text in one language holds those of another."""
    del languages
    return [
        *rules_of("health_id", _FORMS),
        Rule(
            kind="health_id",
            shape=r"\b[A-Z]{0,4}-?\d[A-Z0-9-]{4,17}\b",
            accept=whole(_is_record),
            cue=_RECORD_ZH,
            cued_score=84,
        ),
    ]


def _luhn(digits: str) -> bool:
    total = 0
    for place, digit in enumerate(reversed(digits)):
        number = int(digit) * (1 + place % 2)
        total += number - 9 * (number > 9)
    return total % 10 == 0


def _is_provider(value: str) -> bool:
    """Whether `value` is a US provider's (45 CFR 162.406): a card number of the prefix 80840."""
    return value[0] in "12" and _luhn(f"80840{value}")


def _is_registration(value: str) -> bool:
    """Whether `value` is a US prescriber's registration with the DEA."""
    digits = [int(digit) for digit in value[2:]]
    total = digits[0] + digits[2] + digits[4] + 2 * (digits[1] + digits[3] + digits[5])
    return total % 10 == digits[6]


def _is_insured(value: str) -> bool:
    """Whether `value` is of a German health insurance (§ 290 SGB V): the letter in two digits."""
    digits = f"{ord(value[0]) - 64:02d}{value[1:9]}"
    total = sum(sum(divmod(int(digit) * (1 + place % 2), 10)) for place, digit in enumerate(digits))
    return total % 10 == int(value[9])


def _is_health_card(value: str) -> bool:
    """Whether `value` is of Brazil's health service."""
    return weighted(value, range(15, 0, -1), 11) == 0


def _is_record(value: str) -> bool:
    return sum(character.isdigit() for character in value) >= 4


_RECORD: Final = (
    r"mrn\b|medical record|patient (?:id|no|num|ref)|patient-?id|chart (?:no|num|id)|hospital "
    r"(?:no|num)|"
    r"health (?:card|plan|insurance)|member id|medicare|medicaid|policy holder id|"
    r"patientenn|patienten-?id|krankenversicher|versichertenn|krankenkasse|fallnummer|"
    r"dossier (?:m[ée]dical|patient)|num[ée]ro (?:de )?patient|carte vitale|ipp\b|"
    r"historia cl[íi]nica|n[úu]mero de paciente|tarjeta sanitaria|nuhsa|cip\b|"
    r"cartella clinica|tessera sanitaria|codice paziente|numero paziente|"
    r"pati[ëe]ntnummer|dossiernummer|zorgverzekering|polisnummer|"
    r"prontu[áa]rio|n[úu]mero d[eo] (?:paciente|utente)|cart[ãa]o (?:nacional )?d[eo] sa[úu]de|"
    r"sns\b|cns\b|"
    r"(?:nhs|chi|hcn) n"
)

_RECORD_ZH: Final = r"病历号|病案号|住院号|门诊号|患者编号|医保卡?号?|社保卡号?|就诊卡号?"

_MBI_LETTER: Final = "[AC-HJKMNP-RT-Y]"

_FORMS: Final = (
    # United Kingdom
    Form(r"\d{3}[ -]?\d{3}[ -]?\d{4}", "gb.nhs", 0, r"nhs\b|patient", 95),
    # United States
    Form(
        rf"[1-9]{_MBI_LETTER}[0-9AC-HJKMNP-RT-Y]\d-?{_MBI_LETTER}[0-9AC-HJKMNP-RT-Y]\d"
        rf"-?{_MBI_LETTER}{{2}}\d{{2}}",
        None,
        86,
        r"mbi\b|medicare",
        97,
    ),
    Form(r"\d{10}", _is_provider, 0, r"npi\b|national provider|provider id"),
    Form(r"[A-HJ-MPR-UXa-hj-mpr-ux][A-Z9a-z]\d{7}", _is_registration, 55, r"dea\b", 95),
    # Germany
    Form(
        r"[A-Z]\d{9}(?:\d{10})?",
        _is_insured,
        0,
        r"kvnr|kranken|versicherten|gesundheitskarte|egk\b",
        96,
    ),
    # Italy
    Form(r"80380\d{15}", _luhn, 92, r"tessera sanitaria"),
    # Brazil, Australia
    Form(
        r"[1-2789]\d{2} ?\d{4} ?\d{4} ?\d{4}", _is_health_card, 0, r"cns\b|sus\b|cart[ãa]o nacional"
    ),
    Form(r"[2-6]\d{3} ?\d{5} ?\d(?:[ /-]?\d)?", None, 0, r"medicare", 82),
    # Records of hospitals have the form that the hospital likes.
    Form(r"[A-Za-z]{0,4}[-/ ]?\d[A-Z0-9]*(?:[-/][A-Z0-9]+)*", _is_record, 0, _RECORD, 84),
)
