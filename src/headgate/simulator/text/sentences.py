"""A text cut into sentences and clauses, and shortened at words."""

# ruff: noqa: RUF001 - typographic quotes and dashes are what is read here

from __future__ import annotations

import re

_LINE_MARK = re.compile(r"^\s*(?:[-*•–>]+|#{1,6}|\d{1,2}[.)])\s+")
_ABBREVIATION = re.compile(
    r"\b(?:mr|mrs|ms|dr|prof|inc|ltd|corp|co|nr|approx|vs|st|e\.g|i\.e|z\.b|bzw|usw|ca|etc|sra?"
    r"|mme|jan|feb|mar|apr|jun|jul|aug|sept?|oct|nov|dec|[a-z])\.$",
    re.IGNORECASE,
)
_ORDINAL = re.compile(r"\b\d{1,2}\.$")
_MONTH = re.compile(r"Jan|Feb|M[aä]r|Apr|Ma[iy]|Jun|Jul|Aug|Sep|O[ck]t|Nov|De[cz]")
_END = re.compile(r"(?<=[.!?…])[\"'”’)\]]*\s+|(?<=[。！？])")
_CLAUSE = re.compile(r"\s*(?:[;:,](?=\s)|\s[–—]\s|\s(?:and|but|so|und|aber|mais|pero|y|et)\s)\s*")


def sentences(text: str) -> list[str]:
    """The sentences of `text`, in order, without list marks and heading signs.

    A line's end ends a sentence only where the next line starts a new paragraph, item or heading;
    other line ends are a mail program's wrapping.
    """
    found: list[str] = []
    for block in _blocks(text):
        start = 0
        for end in _END.finditer(block):
            candidate = block[start : end.start()]
            if _ABBREVIATION.search(candidate) or (
                _ORDINAL.search(candidate) and _MONTH.match(block, end.end())
            ):
                continue
            found.append(candidate)
            start = end.end()
        found.append(block[start:])
    return [tidy for sentence in found if (tidy := " ".join(sentence.split()))]


def clauses(sentence: str) -> list[str]:
    """The parts of a sentence that could stand alone: at least four words each."""
    parts: list[str] = []
    for part in _CLAUSE.split(sentence):
        tidy = part.strip(" ,;:–—-")
        if len(tidy.split()) >= 4 or (not parts and tidy):
            parts.append(tidy)
        elif parts and tidy:
            parts[-1] = f"{parts[-1]} {tidy}"
    return parts


def shortened(text: str, max_chars: int) -> str:
    """`text` in at most `max_chars` characters, cut at a word and marked with an ellipsis."""
    if len(text) <= max_chars:
        return text
    if max_chars < 8:
        return text[:max_chars]
    cut = text[: max_chars - 1]
    space = cut.rfind(" ")
    return (cut[:space] if space > max_chars // 2 else cut).rstrip(" ,;:–—-.") + "…"


def as_sentence(text: str) -> str:
    """`text` with a capital first letter and a full stop, where it has none."""
    tidy = text.strip()
    if not tidy:
        return tidy
    tidy = tidy[0].upper() + tidy[1:]
    return tidy if tidy[-1] in ".!?…。！？" else tidy.rstrip(" ,;:–—-") + "."


def _blocks(text: str) -> list[str]:
    """Paragraphs, list items and headings, each on one line."""
    blocks: list[str] = []
    joinable = False
    for line in text.splitlines():
        tidy = line.strip()
        if not tidy:
            joinable = False
            continue
        mark = _LINE_MARK.match(line)
        if mark:
            blocks.append(line[mark.end() :].strip())
            joinable = not line.lstrip().startswith("#")
        elif joinable and not blocks[-1].endswith(":") and len(blocks[-1]) > 40:
            blocks[-1] += " " + tidy
        else:
            blocks.append(tidy)
            joinable = True
    return blocks
