"""How is a number told that a state knows a person by? By its form and its check digits."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from headgate.checks.detection.rule import Rule
from headgate.checks.detection.rules.numbering import Form, rules_of
from headgate.config.detection import Language


def rules(languages: Collection[Language]) -> list[Rule]:
    """Numbers of every country: a text in one language holds those of another."""
    del languages
    return rules_of("national_id", _FORMS)


def _is_insurance_number(value: str) -> bool:
    """Of the United Kingdom: some prefixes are never given out."""
    return value[:2] not in ("BG", "GB", "KN", "NK", "NT", "TN", "ZZ")


def _is_pension_number(value: str) -> bool:
    """Of Germany (VKVV § 2): the letter counts as its place in the alphabet, in two digits."""
    digits = f"{value[:8]}{ord(value[8]) - 64:02d}{value[9:11]}"
    total = 0
    for digit, weight in zip(digits, (2, 1, 2, 5, 7, 1, 2, 1, 2, 1, 2, 1), strict=True):
        total += sum(divmod(int(digit) * weight, 10))
    return total % 10 == int(value[11])


_RESIDENT_WEIGHTS: Final = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)


def _is_resident_number(value: str) -> bool:
    """Of China (GB 11643): the check digit alone, as districts come and go."""
    pairs = zip(value, _RESIDENT_WEIGHTS, strict=False)
    total = sum(int(digit) * weight for digit, weight in pairs)
    return value[17] == "10X98765432"[total % 11]


def _is_identity_card_number(value: str) -> bool:
    return any(character.isdigit() for character in value)


_ID_CARD: Final = (
    r"personalausweis|ausweisnummer|ausweis-?nr|perso\b|identity card|id card|national id|"
    r"carte (?:nationale )?d.identit[ée]|cni\b|carta d.identit[àa]|identiteitskaart|id-kaart|"
    r"documento de identidad|c[ée]dula|bilhete de identidade|cart[ãa]o d[eo] cidad[ãa]o|rg\b"
)

_FORMS: Final = (
    # United States
    Form(r"\d{3}[-. ]\d{2}[-. ]\d{4}", "us.ssn", 85, r"ssn|social security|soc\. ?sec", 97),
    Form(r"\d{9}", "us.ssn", 0, r"ssn|social security|soc\. ?sec"),
    # United Kingdom
    Form(
        r"[A-CEGHJ-PR-TW-Za-ceghj-pr-tw-z][A-CEGHJ-NPR-TW-Za-ceghj-npr-tw-z][ -]?\d{2}[ -]?\d{2}"
        r"[ -]?\d{2}[ -]?[A-Da-d]",
        _is_insurance_number,
        85,
        r"national insurance|nino\b|ni (?:no|num)",
        97,
    ),
    # Germany
    Form(
        r"\d{2} ?[0-3]\d[01]\d\d{2} ?[A-Z] ?\d{3}",
        _is_pension_number,
        88,
        r"sozialversicherung|rentenversicherung|sv-?n|rvnr|versicherungsn",
        97,
    ),
    # France
    Form(
        r"[12378] ?\d{2} ?\d{2} ?(?:\d{2}|2[ABab]) ?\d{3} ?\d{3} ?\d{2}",
        "fr.nir",
        95,
        r"s[ée]curit[ée] sociale|nir\b|insee|num[ée]ro de s[ée]cu",
        98,
    ),
    # Spain
    Form(r"\d{8}[ -]?[A-HJ-NP-TV-Za-hj-np-tv-z]", "es.dni", 80, r"dni\b|nif\b|d\.n\.i|identidad"),
    Form(r"\d{1,2}\.\d{3}\.\d{3}[ -]?[A-HJ-NP-TV-Za-hj-np-tv-z]", "es.dni", 90, ""),
    Form(r"[XYZxyz][ -]?\d{7}[ -]?[A-Za-z]", "es.nie", 86, r"nie\b|extranjer"),
    # Italy
    Form(
        r"(?i:[A-Z]{3} ?[A-Z]{3} ?[0-9L-NP-V]{2} ?[A-EHLMPR-T] ?[0-9L-NP-V]{2} ?[A-Z][0-9L-NP-V]{3}"
        r" ?[A-Z])",
        "it.codicefiscale",
        95,
        "",
    ),
    # Netherlands
    Form(r"\d{4}[. ]\d{2}[. ]\d{3}", "nl.bsn", 70, r"bsn\b|burgerservice|sofi", 95),
    Form(r"\d{9}|\d{3}[. ]\d{3}[. ]\d{3}", "nl.bsn", 0, r"bsn\b|burgerservice|sofi", 95),
    # Portugal
    Form(r"\d{8}[ -]?\d[ -]?[A-Z][A-Z0-9][ -]?\d", "pt.cc", 85, r"cidad[ãa]o|cc\b", 95),
    # Brazil
    Form(r"\d{3}\.\d{3}\.\d{3}[-/]\d{2}", "br.cpf", 95, r"cpf\b"),
    Form(r"\d{11}|\d{9}-\d{2}|\d{3} \d{3} \d{3} \d{2}", "br.cpf", 0, r"cpf\b|cadastro de pessoa"),
    # China
    Form(r"[1-9]\d{5} ?(?:18|19|20)\d{2}[01]\d[0-3]\d ?\d{3}[\dXx]", _is_resident_number, 95, ""),
    # Others, by the letters of their countries
    Form(r"\d{2}\.\d{2}\.\d{2}-\d{3}\.\d{2}", "be.nn", 93, ""),
    Form(r"\d{11}", "be.nn", 0, r"rijksregister|registre national|insz|niss\b"),
    Form(r"756[. ]?\d{4}[. ]?\d{4}[. ]?\d{2}", "ch.ssn", 96, r"ahv|avs\b"),
    Form(r"\d{4} ?\d{6}", "at.vnr", 0, r"sozialversicherung|sv-?n"),
    Form(r"\d{7}[A-Wa-w][A-IWa-iw]?", "ie.pps", 70, r"pps"),
    Form(r"\d{11}", "pl.pesel", 0, r"pesel"),
    Form(r"(?:19|20)?\d{6}[-+]\d{4}", "se.personnummer", 66, r"personnummer", 95),
    Form(r"[0-3]\d[01]\d{3}[- ]?\d{4}", None, 0, r"cpr\b|cpr-?n", 85),
    Form(r"\d{6} ?\d{5}", "no.fodselsnummer", 0, r"f[øo]dselsnummer|personnummer"),
    Form(r"[0-3]\d[01]\d{3}[-+A-FU-Y]\d{3}[0-9A-FHJ-NPR-Y]", "fi.hetu", 88, r"hetu|henkil"),
    Form(r"[2-9]\d{3}[ -]\d{4}[ -]\d{4}", "in_.aadhaar", 76, r"aadhaar|aadhar|uidai", 96),
    Form(r"\d{12}", "in_.aadhaar", 0, r"aadhaar|aadhar|uidai"),
    Form(
        r"\d{3}[- ]\d{3}[- ]\d{3}|\d{9}", "ca.sin", 0, r"sin\b|social insurance|assurance sociale"
    ),
    Form(r"(?i:[A-Z]{4}\d{6}[HMX][A-Z]{5}[A-Z0-9]\d)", "mx.curp", 93, ""),
    Form(r"\d{6}-[1-8]\d{6}", "kr.rrn", 88, ""),
    Form(r"\d{11}", "tr.tckimlik", 0, r"tckn|t\.?c\.? ?kimlik|kimlik"),
    Form(r"\d{1,2}\.\d{3}\.\d{3}-[\dKk]", "cl.rut", 90, r"rut\b|run\b"),
    Form(r"\d{6}/\d{3,4}", "cz.rc", 76, r"rodn[ée]"),
    Form(r"[1-9]\d{12}", "ro.cnp", 0, r"cnp\b"),
    Form(r"\d{11}", "gr.amka", 0, r"amka"),
    # Cards of identity, whose numbers have no form of their own
    Form(
        r"[A-Z0-9]{9,10}|[A-Z]{2} ?\d{5,7}|\d{2}\.\d{3}\.\d{3}-?[\dXx]?|\d{8}-?\d?|"
        r"[A-Z]{2}\d{5}[A-Z]{2}|\d{12}",
        _is_identity_card_number,
        0,
        _ID_CARD,
        80,
    ),
)
