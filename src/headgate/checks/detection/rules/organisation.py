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
    r"Inc|LLC|Ltd|Limited|Corp|Corporation|PLC|plc|LLP|Co|Company|Holdings?|Group|GmbH(?: & Co\.? (?:KG|OHG|KGaA))?|"
    r"AG(?: & Co\.? (?:KG|OHG|KGaA))?|SE|KG(?:aA)?|OHG|UG|e\.V|eG|Stiftung|SAS|SARL|S\.A\.R\.L|S\.A\.S|SNC|S\.A|SA|SL|S\.L(?:\.U|\.L)?|"
    r"S\.Coop|S\.p\.A|SpA|S\.r\.l|SRL|s\.r\.l|S\.a\.s|B\.V|BV|N\.V|NV|V\.O\.F|Lda|Ltda|S\.C|Unipessoal"
)


def rules(languages: Collection[Language]) -> list[Rule]:
    """Firms by their legal forms, institutions by their words."""
    found = [
        Rule(
            kind="organisation",
            shape=rf"\b{_NAME},? (?:{_FORMS})\b\.?",
            gate=rf"[{LETTER}],? (?:{_FORMS})\b",
            score=72,
            neighbours="word",
        ),
        Rule(
            kind="organisation",
            shape=r"\b(?:(?:University|Bank|Ministry|Department|Institute|Church|College) of"
            rf"|Universität|Universit[éà](?: de| di| degli Studi di)?|Universidade? (?:de|do|da)|Universiteit"
            rf"|Hospital|Clínica|Banco|Banca|Banque|Sparkasse|Volksbank|Stadtwerke|Gemeente|Ayuntamiento de"
            rf"|Câmara Municipal de) {_NAME}"
            rf"|\b{_NAME} (?:University|Hospital|Institute|Foundation|Association|Bank|Airlines|Insurance|Clinic|College|Partners)\b",
            score=64,
            neighbours="word",
        ),
    ]
    if "zh" in languages:
        found.append(
            Rule(
                kind="organisation",
                shape=r"\p{Han}{2,14}?(?:有限公司|股份公司|公司|集团|银行|大学|医院|研究院|科技|网络|信息|传媒)",
                score=60,
                neighbours="any",
            )
        )
    return found
