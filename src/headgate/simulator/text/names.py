"""The people, organisations and places a text names: runs of capitalised words."""

# ruff: noqa: RUF001 - typographic quotes and dashes are what is read here

from __future__ import annotations

import re

from headgate.simulator.text.dates import MONTHS
from headgate.simulator.text.sentences import sentences
from headgate.simulator.text.words import STOPWORDS, fold

MAX_NAMES = 12
"""How many names of a text are told."""

_WORD = r"[A-ZÀ-ÖØ-Þ][\w'&-]*\.?"
_RUN = re.compile(
    rf"(?<![\w@/])(?:(?:Mr|Mrs|Ms|Dr|Prof)\.?\s+)?{_WORD}"
    rf"(?:\s+(?:(?:of|de|van|von|der|da|du|the|&)\s+)?{_WORD}){{0,4}}"
)
_TITLE = re.compile(r"^(?:Mr|Mrs|Ms|Dr|Prof)\.?\s+")
_NOT_NAMES_TEXT = (
    "i monday tuesday wednesday thursday friday saturday sunday montag dienstag mittwoch donnerstag"
    " freitag samstag sonntag lundi mardi mercredi jeudi vendredi samedi dimanche lunes martes"
    " miercoles jueves viernes sabado domingo subject body ticket report hello hi dear thanks"
    " regards ceo cfo cto coo vp hr it eu usd eur gbp kpi api ok tldr summary q1 q2 q3 q4 please"
    " however meanwhile overall finally additionally therefore revenue total page section table"
    " figure appendix chapter introduction conclusion background overview next key our we ref id"
    " url http https pdf csv sso sla roi yoy arr mrr nps faq vat fyi asap help error"
)
_NOT_NAMES = frozenset(_NOT_NAMES_TEXT.split())
_STOPWORDS = frozenset(word for words in STOPWORDS.values() for word in words)


def names(text: str) -> list[str]:
    """The names in `text`, in order, each once; at most `MAX_NAMES`.

    A single word counts only inside a sentence, since every sentence starts with a capital.
    """
    found: dict[str, str] = {}
    inside: set[str] = set()
    waiting: list[str] = []
    for sentence in sentences(text):
        for run in _RUN.finditer(sentence):
            trimmed = _trimmed(run[0], at_start=run.start() == 0)
            for name in _parted(trimmed):
                # After a common word with a capital, as in "For Rome", a name stands inside too.
                inner = not run[0].startswith(name) or not _after_stop(sentence, run.start())
                if " " in name or inner:
                    found.setdefault(fold(name), name)
                    inside.add(fold(name))
                else:
                    waiting.append(name)
    for name in waiting:
        if fold(name) in inside:
            found.setdefault(fold(name), name)
    kept = list(found.values())
    whole = [name for name in kept if " " in name]
    return [
        name
        for name in kept
        if not any(name != other and re.search(rf"\b{re.escape(name)}\b", other) for other in whole)
    ][:MAX_NAMES]


def _parted(run: str) -> list[str]:
    """`Ann Ray of Stone Consulting` as two names, `Bank of England` as one."""
    left, of, right = run.partition(" of ")
    if of and " " in left and " " in right:
        return [left, right]
    return [run] if run else []


def _trimmed(run: str, *, at_start: bool) -> str:
    """The run without words that are capitalised for another reason than being a name."""
    title = _TITLE.match(run)
    words = run[title.end() :].split() if title else run.split()
    while words and _is_common(words[0]):
        words.pop(0)
    while words and (_is_common(words[-1]) or not words[-1][0].isupper()):
        words.pop()
    if not words or (len(words) == 1 and (words[0].isdigit() or len(words[0].strip(".")) < 2)):
        return ""
    if len(words) == 1 and at_start and fold(words[0]) in _STOPWORDS:
        return ""
    if len(words) == 1 and re.search(r"^\w-|\d", words[0]):
        return ""
    name = " ".join(words).rstrip(".'")
    return name.removesuffix("'s").removesuffix("’s")


def _is_common(word: str) -> bool:
    folded = fold(word).strip(".'&-").removesuffix("'s")
    if folded.removesuffix("s") in _NOT_NAMES:
        return True
    return folded in _NOT_NAMES or folded in MONTHS or folded in _STOPWORDS


def _after_stop(sentence: str, start: int) -> bool:
    before = sentence[:start].rstrip(" \"'“‘(")
    return not before or before[-1] in ".!?:"
