"""How is a street with a house number told? By the order and the words of each language."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from headgate.checks.detection.letters import LETTER, LOWER, UPPER
from headgate.checks.detection.rule import Rule, Words
from headgate.config.detection import Language

_NAME: Final = rf"[{UPPER}][{LETTER}'.-]*"
_SMALL: Final = (
    r"(?:de|du|des|la|le|les|del|della|dei|delle|degli|do|da|dos|das|los|las|el|di|al|y|e|i|van|der"
    r"|den|het|von|zu|zum|zur|d'|l'|dell'|sur|en)"
)
_STREET: Final = (
    rf"(?:(?:{_SMALL} |[dl]'|dell'|all')*(?:{_NAME}|\d{{1,2}}) ?"
    rf"(?:(?:{_SMALL} |[dl]')*{_NAME} ?){{0,4}})"
)
_NUMBER: Final = r"\d{1,4}(?: ?[A-Za-z]\b)?(?:[-/]\d{1,4})?"
_COMMA: Final = r"(?:,\s?|\s)"
_TOWN: Final = rf"{_NAME}(?:[ -](?:{_SMALL}[ -])?{_NAME})*"

_ENGLISH: Final = (
    r"\b\d{1,6}[A-Za-z]?(?:-\d{1,4})? (?:[NSEW]\.? |North |South |East |West )?"
    rf"(?:{_NAME} |\d{{1,3}}(?:st|nd|rd|th) ){{1,4}}"
    r"(?:Street|St|Avenue|Ave|Road|Rd|Boulevard|Blvd|Lane|Ln|Drive|Dr|Court|Ct|Place|Pl|Square|Sq|"
    r"Terrace|Ter|Way|Close|Crescent|Cres|Parkway|Pkwy|Circle|Cir|Highway|Hwy|Row|Mews|Gardens|"
    r"Grove|Hill|Park|Walk|Alley|Trail|Loop|Plaza|Quay|Rise|View|Green|Broadway)\b\.?"
    r"(?:,? (?:Apt|Apartment|Suite|Ste|Unit|Flat|Floor|Fl|No|#)\.? ?#?[A-Za-z0-9-]{1,6})?"
    rf"(?:{_COMMA}{_NAME}(?: {_NAME}){{0,2}},?\s"
    r"(?:[A-Z]{2} \d{5}(?:-\d{4})?|[A-Z]{1,2}\d[A-Z0-9]? ?\d[A-Z]{2}))?"
    r"|(?i:\bP\.? ?O\.? Box \d{1,6})"
)
_GERMAN: Final = (
    rf"\b(?:{_NAME}[ -]){{0,3}}(?:[{UPPER}][{LOWER}]*)?"
    r"(?:[Ss]tr(?:aße|asse|\.)|[Ww]eg|[Pp]latz|[Aa]llee|[Gg]asse|[Rr]ing|[Uu]fer|[Dd]amm"
    r"|[Cc]haussee|[Ss]teig|[Gg]raben|[Pp]fad|[Hh]of)"
    rf" {_NUMBER}(?:{_COMMA}(?:[DA]-)?\d{{4,5}} {_NAME}(?: {_NAME})?)?"
    r"|\b(?:Am|An der|An den|Auf der|Auf dem|Im|In der|Zum|Zur|Unter den|Hinter der)"
    rf" {_NAME}(?: {_NAME})? {_NUMBER},\s?\d{{5}} {_NAME}"
)
_FRENCH: Final = (
    r"(?i:\b\d{1,4}(?: ?(?:bis|ter|quater|[a-d]))?,? ?(?:rue|avenue|av\.|boulevard|bd\.?|boul\.|"
    r"place|all[ée]e|chemin|impasse|quai|cours|route|passage|square|villa|faubourg|sentier|"
    rf"esplanade|cit[ée]|r[ée]sidence) ){_STREET}(?:{_COMMA}\d{{5}} {_TOWN})?"
    r"|(?i:\b(?:rue|avenue|boulevard|place|all[ée]e|chemin|impasse|quai|route) )"
    rf"{_STREET}{_COMMA}\d{{5}} {_TOWN}"
)
_SPANISH: Final = (
    r"\b(?i:calle|c/|c\.|cl\.|avenida|avda?\.?|av\.|plaza|pza\.|paseo|p[ºo]\.?|camino|carretera|"
    r"ctra\.|ronda|traves[íi]a|cuesta|glorieta|pasaje|pasadizo|v[íi]a|callej[óo]n|rambla|alameda|"
    rf"urbanizaci[óo]n|vial|acceso|ca[ñn]ada) ?{_STREET},? ?(?:n[.º°úu]*(?:m(?:ero|\.)?)? ?)?"
    r"\d{1,4}\b"
    rf"(?:,? ?(?:\d{{1,2}}[ºª°]? ?[{LETTER}]{{0,4}}"
    r"|(?i:piso|puerta|apt\.?|esc\.?|portal|bloque|planta) \w{1,4}|bajo|[A-Z])\b ?)?"
    rf"(?:{_COMMA}\d{{5}},? {_TOWN})?"
)
_ITALIAN: Final = (
    r"\b(?i:via|viale|v\.le|piazza|p\.?za|piazzale|corso|c\.so|largo|vicolo|strada|contrada|borgo|"
    r"lungomare|lungotevere|salita|rotonda|incrocio|canale|stretto|vico|traversa|localit[àa])"
    rf" {_STREET},? ?(?:n\.? ?)?{_NUMBER}\b"
    r"(?:,? (?i:appartamento|app\.|interno|int\.|scala|piano) \w{1,4})?"
    rf"(?:{_COMMA}\d{{5}},? {_TOWN}(?: \([A-Z]{{2}}\))?)?"
)
_DUTCH: Final = (
    rf"\b(?:{_NAME} (?:{_SMALL} )?){{0,3}}[{UPPER}][{LETTER}-]*"
    r"(?:straat|laan|weg|plein|gracht|kade|dijk|singel|hof|steeg|pad|dreef|plantsoen|markt|baan|"
    r"ring|boulevard|park|wal|burg|hoeve)"
    rf" \d{{1,4}}(?: ?-? ?[A-Za-z0-9]{{1,4}}\b)?(?:{_COMMA}\d{{4}} ?[A-Z]{{2}},? {_TOWN})?"
)
_PORTUGUESE: Final = (
    r"\b(?i:rua|r\.|avenida|av\.?|travessa|tv\.|pra[çc]a|largo|alameda|estrada|rodovia|viela|beco|"
    r"ladeira|cal[çc]ada|quadra|vila|parque|campo|jardim|passarela|via|trevo|est[aâ]ncia|"
    r"loteamento|residencial|s[ií]tio|setor|morro|p[áa]tio|vale|viaduto|condom[ií]nio|conjunto|"
    r"recanto|ch[áa]cara|favela|fazenda|feira|distrito|col[ôo]nia|aeroporto|esta[çc][ãa]o|lago|"
    rf"lagoa|n[úu]cleo|vereda|trecho) {_STREET}(?:, ?|,? n\.?[ºo°]? ?| )\d{{1,5}}\b"
    rf"(?:,? \d{{1,2}}[ºª°]\.? ?[{LETTER}]{{0,4}})?(?:{_COMMA}\d{{4,5}}-\d{{3}},? {_TOWN})?"
)
_CHINESE: Final = (
    r"(?:\p{Han}{2,8}?(?:省|自治区))?(?:\p{Han}{2,8}?市)?(?:\p{Han}{1,8}?[区县])?"
    r"\p{Han}{1,10}(?:大道|路|街|巷|弄|胡同|大街) ?\d{1,5} ?(?:号|弄)"
    r"(?: ?\p{Han}{0,8}\d{1,4}(?:号楼|栋|幢|单元|座|室|层|楼)){0,4}"
    r"|\p{Han}{1,8}(?:路|街)[a-zA-Z]座"
)

_FORMS: Final[Words] = {
    "en": _ENGLISH,
    "de": _GERMAN,
    "fr": _FRENCH,
    "es": _SPANISH,
    "it": _ITALIAN,
    "nl": _DUTCH,
    "pt": _PORTUGUESE,
    "zh": _CHINESE,
}

_GATES: Final[Words] = {
    "en": rf"\b\d{{1,6}}[A-Za-z]? (?:[{UPPER}]|\d{{1,3}}(?:st|nd|rd|th))|(?i:P\.? ?O\.? Box)",
    "de": r"(?:tr(?:aße|asse|\.)|eg|latz|llee|asse|ing|fer|amm|aussee|teig|raben|fad|of) \d"
    rf"|\d,\s?\d{{5}} [{UPPER}]",
    "nl": r"(?:straat|laan|weg|plein|gracht|kade|dijk|singel|hof|steeg|pad|dreef|plantsoen|markt"
    r"|baan|ring|boulevard|park|wal|burg|hoeve) \d",
}
"""Where the shape begins with any capitalised word, it is its end that is looked for first."""


def rules(languages: Collection[Language]) -> list[Rule]:
    """The forms of `languages`."""
    return [
        Rule(
            kind="street_address",
            family="name",
            shape=_FORMS[one],
            gate=_GATES.get(one, ""),
            accept=_chinese if one == "zh" else _trimmed,
            score=78,
            neighbours="any" if one == "zh" else "word",
            overlapping=one == "zh",
        )
        for one in languages
    ]


def _trimmed(value: str) -> int:
    return len(value.rstrip(" ,.-"))


def _chinese(value: str) -> int:
    """All of `value`, where it does not begin with the words in front of an address."""
    return 0 if value[0] in "我你他她住在到于至去从送寄是位址往为" else len(value)
