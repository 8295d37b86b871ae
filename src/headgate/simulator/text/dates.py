"""The dates a text names, as written and, where they are whole, in ISO form."""

from __future__ import annotations

import datetime as dt
import re

import msgspec

from headgate.simulator.text.words import fold

_MONTH_NAMES = (
    ("january", "jan", "januar", "janvier", "enero", "gennaio", "janeiro", "januari"),
    ("february", "feb", "februar", "fevrier", "febrero", "febbraio", "fevereiro", "februari"),
    ("march", "mar", "marz", "maerz", "mars", "marzo", "marco", "maart"),
    ("april", "apr", "avril", "abril", "aprile"),
    ("may", "mai", "mayo", "maggio", "maio", "mei"),
    ("june", "jun", "juni", "juin", "junio", "giugno", "junho"),
    ("july", "jul", "juli", "juillet", "julio", "luglio", "julho"),
    ("august", "aug", "aout", "agosto", "augustus"),
    ("september", "sep", "sept", "septembre", "septiembre", "settembre", "setembro"),
    ("october", "oct", "oktober", "okt", "octobre", "octubre", "ottobre", "outubro"),
    ("november", "nov", "novembre", "noviembre", "novembro"),
    ("december", "dec", "dezember", "dez", "decembre", "diciembre", "dicembre", "dezembro"),
)
MONTHS = {name: number for number, names in enumerate(_MONTH_NAMES, 1) for name in names}
"""The number of a month, by its name or short name, folded."""

_MONTH = r"(?:" + "|".join(sorted(MONTHS, key=len, reverse=True)) + r")\b\.?"
_YEAR = r"(?:1[89]|20)\d\d"
_DATE = re.compile(
    rf"\b(?P<iso>{_YEAR}-\d\d?-\d\d?)\b"
    rf"|\b(?P<day_first>\d{{1,2}}(?:st|nd|rd|th|\.|er|º)?\s+(?:of\s+|de\s+)?{_MONTH}"
    rf"(?:,?\s+(?:de\s+)?{_YEAR})?)"
    rf"|\b(?P<month_first>{_MONTH}\s+\d{{1,2}}(?:st|nd|rd|th)?(?:,?\s+{_YEAR})?)(?!\d)"
    rf"|\b(?P<slashed>\d{{1,2}}[/.]\d{{1,2}}[/.](?:{_YEAR}|\d\d))\b"
    rf"|\b(?P<month>{_MONTH}\s+(?:de\s+)?{_YEAR})"
    rf"|\b(?P<quarter>[qt][1-4]\s*(?:/|of\s+)?\s*{_YEAR}|(?:first|second|third|fourth)\s+quarter"
    rf"(?:\s+(?:of\s+)?{_YEAR})?|[qt][1-4])\b"
)


class FoundDate(msgspec.Struct, frozen=True):
    """One date and where it stands."""

    text: str
    """As written."""
    iso: str | None
    """`YYYY-MM-DD`, where day, month and year are known."""


def dates(text: str) -> list[FoundDate]:
    """The dates in `text`, in order, each once."""
    # Folding may change a text's length, and then the places in it no longer agree.
    folded = fold(text)
    as_written = text if len(folded) == len(text) else folded
    found: dict[str, FoundDate] = {}
    for hit in _DATE.finditer(folded):
        written = as_written[hit.start() : hit.end()].strip(" .,")
        found.setdefault(written, FoundDate(written, _iso(hit[0], hit.lastgroup)))
    return list(found.values())


def _iso(written: str, kind: str | None) -> str | None:
    numbers = [int(number) for number in re.findall(r"\d+", written)]
    month = next((MONTHS[word] for word in re.findall(r"[a-z]+", written) if word in MONTHS), 0)
    match kind:
        case "iso":
            year, month, day = numbers
        case "slashed":
            day, month, year = numbers
            year += 2000 if year < 100 else 0
            if month > 12:
                day, month = month, day
        case "day_first" | "month_first" if len(numbers) == 2:
            day, year = numbers
        case _:
            return None
    try:
        return dt.date(year, month, day).isoformat()
    except ValueError:
        return None
