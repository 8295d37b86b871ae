"""How is a firm or an institution told? By its legal form, or by the word that says what it is."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from headgate.checks.detection.letters import LETTER, UPPER
from headgate.checks.detection.rule import Rule
from headgate.config.detection import Language

_WORD: Final = rf"(?:[{UPPER}][{LETTER}0-9'&.-]*|\d{{1,4}})"
_NAME: Final = rf"{_WORD}(?:(?: & | and | und | et | y | e | en |, | |-){_WORD}){{0,5}}"
_FORMS: Final = (
    r"Inc|LLC|Ltd|Limited|Corp|Corporation|PLC|plc|LLP|Co|Company|Holdings?|Group|GmbH(?: & "
    r"Co\.? (?:KG|OHG|KGaA))?|"
    r"AG(?: & Co\.? (?:KG|OHG|KGaA))?|SE|KG(?:aA)?|OHG|UG|e\.V|eG|Stiftung|SAS|SARL|S\.A\.R\.L|"
    r"S\.A\.S|SNC|S\.A|SA|SL|S\.L(?:\.U|\.L)?|"
    r"S\.Coop|S\.p\.A|SpA|S\.r\.l|SRL|s\.r\.l|S\.a\.s|B\.V|BV|N\.V|NV|V\.O\.F|Lda|Ltda|S\.C|"
    r"Unipessoal"
)


def rules(languages: Collection[Language]) -> list[Rule]:
    """Firms by their legal forms, institutions by their words."""
    found = [
        Rule(
            kind="organisation",
            family="name",
            shape=rf"\b{_NAME},? (?:{_FORMS})\b\.?",
            gate=rf"[{LETTER}],? (?:{_FORMS})\b",
            score=72,
            neighbours="word",
        ),
        Rule(
            kind="organisation",
            family="name",
            shape=r"\b(?:(?:University|Bank|Ministry|Department|Institute|Church|College) of"
            rf"|Universität|Universit[éà](?: de| di| degli Studi di)?|Universidade? (?:de|do|"
            rf"da)|Universiteit"
            rf"|Hospital|Clínica|Banco|Banca|Banque|Sparkasse|Volksbank|Stadtwerke|Gemeente|"
            rf"Ayuntamiento de"
            rf"|Câmara Municipal de) {_NAME}"
            rf"|\b{_NAME} (?:University|Hospital|Institute|Foundation|Association|Bank|Airlines|"
            rf"Clinic|College|Partners)\b",
            accept=_named,
            score=64,
            neighbours="word",
            overlapping=True,
        ),
    ]
    if "zh" in languages:
        found.append(
            Rule(
                kind="organisation",
                family="name",
                shape=r"\p{Han}{2,14}?(?:有限公司|股份公司|公司|集团|银行|大学|医院|研究院)",
                accept=_named_in_chinese,
                score=60,
                neighbours="any",
                overlapping=True,
            )
        )
    return found


_NO_NAMES: Final = frozenset(
    (
        "the",
        "a",
        "an",
        "my",
        "his",
        "her",
        "its",
        "our",
        "your",
        "their",
        "this",
        "that",
        "which",
        "any",
        "every",
    )
)


def _named(value: str) -> int:
    """All of `value`, where it does not begin with a word that only points at it."""
    return 0 if value.partition(" ")[0].lower() in _NO_NAMES else len(value)


def _named_in_chinese(value: str) -> int:
    """All of `value`, where it is not a sentence that ends with a firm."""
    return (
        0
        if any(sign in value for sign in "我你他她们的了用去在与和是把被给从到请或及些")
        else len(value)
    )
