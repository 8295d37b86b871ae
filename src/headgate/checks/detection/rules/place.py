"""How is a place told? It is in our list, or somebody lives, works or travels there."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from headgate.checks.detection.letters import LETTER, UPPER
from headgate.checks.detection.rule import Rule, Words
from headgate.checks.detection.words import word_list
from headgate.config.detection import Language

_CUES: Final[Words] = {
    "en": r"lives? in|living in|lived in|based in|located in|born in|moved to|moving to|"
    r"travel(?:l?ing|s)? to|city of|town of|"
    r"flight to|flew to|visit(?:ing)?|resident of|office in|arriv(?:ed|ing) in|deliver(?:ed|y)? "
    r"to|ship(?:ped)? to",
    "de": r"wohn(?:e|t|en|haft) in|lebt? in|leben in|aus der Stadt|geboren in|gezogen nach|"
    r"ziehe nach|reise nach|fahre nach|"
    r"Büro in|Filiale in|Flug nach",
    "fr": r"habit[ée] [àa]|habite [àa]|vis [àa]|vit [àa]|r[ée]side [àa]|n[ée]e? [àa]|"
    r"d[ée]m[ée]nag[ée] [àa]|ville de|bas[ée]e? [àa]|voyage [àa]|bureau de",
    "es": r"vivo en|vive en|viven en|resid[eo] en|nacid[oa] en|mudado a|ciudad de|oficina de|"
    r"oficina en|viaj[eo] a|trabajo en",
    "it": r"vivo a|vive a|abito a|abita a|resid[eo](?:nte)? a|nat[oa] a|trasferit[oa] a|"
    r"citt[àa] di|ufficio di|viaggio a|sede di",
    "nl": r"woon in|woont in|wonen in|woonachtig in|geboren in|verhuisd naar|kantoor in|reis "
    r"naar|vlucht naar|stad",
    "pt": r"moro em|mora em|vivo em|vive em|resid[eo] em|nascid[oa] em|mudei(?:-me)? para|"
    r"cidade de|escrit[óo]rio em|viagem a|viagem para",
}


def rules(languages: Collection[Language]) -> list[Rule]:
    """The list, and the words of `languages` in front of a place."""
    western: list[str] = []
    chinese: list[str] = []
    for place in word_list("places"):
        (western if place[0] < "\u4e00" else chinese).append(place)
    # Of two that begin alike the longer must be tried first.
    listed = "|".join(sorted(western, key=lambda one: (-len(one), one)))
    found = [
        Rule(kind="place", family="name", shape=rf"\b(?:{listed})", score=62, neighbours="letters"),
    ]
    if words := "|".join(_CUES[one] for one in languages if one in _CUES):
        found.append(
            Rule(
                kind="place",
                family="name",
                shape=rf"(?i:\b(?:{words})) ([{UPPER}][{LETTER}'-]+(?:(?: (?:de|do|da|am|an der|"
                rf"of|del|la|sur))? [{UPPER}][{LETTER}'-]+){{0,2}})",
                score=66,
                neighbours="letters",
            )
        )
    if "zh" in languages:
        found.append(
            Rule(
                kind="place",
                family="name",
                shape=rf"(?:{'|'.join(chinese)})[市省]?|(?:住在|位于|来自|居住在)(\p{{Han}}{{2,5}}?[市省县区])",
                score=60,
                neighbours="any",
            )
        )
    return found
