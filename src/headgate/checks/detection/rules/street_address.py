"""How is a street with a house number told, in the order and with the words of each language?"""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from headgate.checks.detection.letters import LETTER, LOWER, UPPER
from headgate.checks.detection.rule import Rule, Words
from headgate.config.detection import Language

_NAME: Final = rf"[{UPPER}][{LETTER}'.-]*"
_SMALL: Final = (
    r"(?:de|du|des|la|le|les|del|della|dei|delle|degli|do|da|dos|das|los|las|el|di|al|y|e|i|van|der|den"
    r"|het|von|zu|zum|zur|d'|l'|dell'|sur|en)"
)
_STREET_NAME: Final = rf"(?:(?:{_SMALL} |[dl]'|dell'|all')*(?:{_NAME}|\d{{1,2}})[ ]?(?:(?:{_SMALL} |[dl]')*{_NAME} ?){{0,4}})"
_NUMBER: Final = r"\d{1,4}(?: ?[A-Za-z]\b)?(?:[-/]\d{1,4})?"

_FORMS: Final[Words] = {
    "en": rf"\b\d{{1,6}}[A-Za-z]?(?:-\d{{1,4}})? (?:[NSEW]\.? |North |South |East |West )?(?:{_NAME} |\d{{1,3}}(?:st|nd|rd|th) ){{1,4}}"
    r"(?:Street|St|Avenue|Ave|Road|Rd|Boulevard|Blvd|Lane|Ln|Drive|Dr|Court|Ct|Place|Pl|Square|Sq|"
    r"Terrace|Ter|Way|Close|Crescent|Cres|Parkway|Pkwy|Circle|Cir|Highway|Hwy|Row|Mews|Gardens|Grove|"
    r"Hill|Park|Walk|Alley|Trail|Loop|Plaza|Quay|Rise|View|Green|Broadway)\b\.?"
    r"(?:,? (?:Apt|Apartment|Suite|Ste|Unit|Flat|Floor|Fl|No|#)\.? ?#?[A-Za-z0-9-]{1,6})?"
    rf"(?:(?:,\s?|\s){_NAME}(?: {_NAME}){{0,2}},?\s(?:[A-Z]{{2}} \d{{5}}(?:-\d{{4}})?|[A-Z]{{1,2}}\d[A-Z0-9]? ?\d[A-Z]{{2}}))?"
    r"|(?i:\bP\.? ?O\.? Box \d{1,6})",
    "de": rf"\b(?:{_NAME}[ -]){{0,3}}(?:[{UPPER}][{LOWER}ß-]*)?(?:[Ss]tr(?:aße|asse|\.)|[Ww]eg|[Pp]latz|[Aa]llee|[Gg]asse"
    r"|[Rr]ing|[Uu]fer|[Dd]amm|[Cc]haussee|[Ss]teig|[Gg]raben|[Pp]fad|[Hh]of)"
    rf" {_NUMBER}(?:(?:,\s?|\s)(?:[DA]-)?\d{{4,5}} {_NAME}(?: {_NAME})?)?"
    rf"|\b(?:Am|An der|An den|Auf der|Auf dem|Im|In der|Zum|Zur|Unter den|Hinter der) {_NAME}(?: {_NAME})? {_NUMBER},\s?\d{{5}} {_NAME}",
    "fr": rf"(?i:\b\d{{1,4}}(?: ?(?:bis|ter|quater|[a-d]))?,? ?(?:rue|avenue|av\.|boulevard|bd\.?|boul\.|place|all[ée]e|chemin|"
    r"impasse|quai|cours|route|passage|square|villa|faubourg|sentier|esplanade|cit[ée]|r[ée]sidence) )"
    rf"{_STREET_NAME}(?:(?:,\s?|\s)\d{{5}} {_NAME}(?:[ -](?:{_SMALL}[ -])?{_NAME})*)?",
    "es": rf"\b(?i:calle|c/|c\.|cl\.|avenida|avda?\.?|av\.|plaza|pza\.|paseo|p[ºo]\.?|camino|carretera|ctra\.|ronda|traves[íi]a|"
    r"cuesta|glorieta|pasaje|v[íi]a|callej[óo]n|rambla|alameda|urbanizaci[óo]n|vial|acceso|ca[ñn]ada)"
    rf" ?{_STREET_NAME},? ?(?:n[.º°úu]*(?:m(?:ero|\.)?)? ?)?\d{{1,4}}\b(?:,? ?(?:\d{{1,2}}[ºª°]? ?[{LETTER}]{{0,4}}|piso \d+|bajo|[A-Z])\b)?"
    rf"(?:(?:,\s?|\s)\d{{5}},? {_NAME}(?: (?:{_SMALL} )?{_NAME})*)?",
    "it": r"\b(?i:via|viale|v\.le|piazza|p\.?za|piazzale|corso|c\.so|largo|vicolo|strada|contrada|borgo|lungomare|"
    r"lungotevere|salita|rotonda|incrocio|canale|stretto|vico|traversa|localit[àa])"
    rf" {_STREET_NAME},? ?(?:n\.? ?)?{_NUMBER}\b(?:(?:,\s?|\s)\d{{5}},? {_NAME}(?: (?:{_SMALL} )?{_NAME})*(?: \([A-Z]{{2}}\))?)?",
    "nl": rf"\b(?:{_NAME} |{_SMALL} ){{0,3}}[{UPPER}][{LETTER}-]*(?:straat|laan|weg|plein|gracht|kade|dijk|singel|hof|steeg|pad|"
    rf"dreef|plantsoen|markt|baan|ring|boulevard|park|wal|burg|hoeve)"
    rf" \d{{1,4}}(?: ?-? ?[A-Za-z0-9]{{1,4}}\b)?(?:(?:,\s?|\s)\d{{4}} ?[A-Z]{{2}},? {_NAME}(?: (?:{_SMALL} )?{_NAME})*)?",
    "pt": r"\b(?i:rua|r\.|avenida|av\.?|travessa|tv\.|pra[çc]a|largo|alameda|estrada|rodovia|viela|beco|ladeira|cal[çc]ada|quadra|"
    r"vila|parque|campo|jardim|passarela|via|trevo|est[aâ]ncia|loteamento|residencial|s[ií]tio|setor|morro|p[áa]tio|vale|viaduto|condom[ií]nio|conjunto|recanto|ch[áa]cara|favela|fazenda|feira|distrito|col[ôo]nia|aeroporto|esta[çc][ãa]o|lago|lagoa|n[úu]cleo|vereda|trecho)"
    rf" {_STREET_NAME}(?:, ?|,? n\.?[ºo°]? ?| )\d{{1,5}}\b(?:,? \d{{1,2}}[ºª°]\.? ?[{LETTER}]{{0,4}})?"
    rf"(?:(?:,\s?|\s)\d{{4,5}}-\d{{3}},? {_NAME}(?: (?:{_SMALL} )?{_NAME})*)?",
    "zh": r"(?:\p{Han}{2,8}?(?:省|自治区))?(?:\p{Han}{2,8}?市)?(?:\p{Han}{1,8}?[区县])?\p{Han}{1,10}(?:大道|路|街|巷|弄|胡同|大街)"
    r" ?\d{1,5} ?(?:号|弄)(?: ?\p{Han}{0,8}\d{1,4}(?:号楼|栋|幢|单元|座|室|层|楼)){0,4}|\p{Han}{1,8}(?:路|街)[a-zA-Z]座",
}

_GATES: Final[Words] = {
    "en": rf"\b\d{{1,6}}[A-Za-z]? (?:[{UPPER}]|\d{{1,3}}(?:st|nd|rd|th))|(?i:P\.? ?O\.? Box)",
    "de": rf"(?:tr(?:aße|asse|\.)|eg|latz|llee|asse|ing|fer|amm|aussee|teig|raben|fad|of) \d|\d,\s?\d{{5}} [{UPPER}]",
    "nl": r"(?:straat|laan|weg|plein|gracht|kade|dijk|singel|hof|steeg|pad|dreef|plantsoen|markt|baan|ring"
    r"|boulevard|park|wal|burg|hoeve) \d",
}


def rules(languages: Collection[Language]) -> list[Rule]:
    """The forms of `languages`."""
    return [
        Rule(
            kind="street_address",
            shape=_FORMS[one],
            gate=_GATES.get(one, ""),
            accept=_trimmed,
            score=78,
            neighbours="any" if one == "zh" else "word",
        )
        for one in languages
    ]


def _trimmed(value: str) -> int:
    return len(value.rstrip(" ,.-"))
