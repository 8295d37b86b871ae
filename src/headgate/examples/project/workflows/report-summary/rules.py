"""Business rules for summaries: nothing empty, nothing too long to read."""

import re
from typing import Any

Values = dict[str, Any]

TLDR_WORDS_AT_MOST = 60


def check(output: Values, report: Values) -> list[str]:
    """Every reason for which this summary must not go out."""
    problems = []
    words = len(output["tldr"].split())
    if words == 0:
        problems.append("tldr: must not be empty")
    if words > TLDR_WORDS_AT_MOST:
        problems.append(f"tldr: has {words} words; must have at most {TLDR_WORDS_AT_MOST}")
    for field in ("key_points", "follow_up_questions"):
        for index, text in enumerate(output[field]):
            if not text.strip():
                problems.append(f"{field}[{index}]: must not be empty")
    return problems


def fallback(report: Values) -> Values:
    """The report's own first sentences, for when no model's summary can be had."""
    sentences = _sentences(report["text"])
    return {
        "tldr": _shortened(" ".join(sentences[:2]), TLDR_WORDS_AT_MOST),
        "key_points": [_shortened(sentence, 40) for sentence in _at_least_three(sentences)[:5]],
        "dates": [
            {"date": date, "what": _shortened(_sentence_with(date, sentences), 25)}
            for date in dict.fromkeys(match[0] for match in _DATE.finditer(report["text"]))
        ][:20],
        "names": list(dict.fromkeys(match[0] for match in _NAME.finditer(report["text"])))[:20],
        "follow_up_questions": [
            "What does the full report say beyond these sentences?",
            "Which decision is expected of the reader, and by when?",
        ],
    }


_MONTH = (
    r"(?:January|February|March|April|May|June|July|August|September|October|November|December)"
)
_DATE = re.compile(
    rf"\b\d{{4}}-\d{{2}}-\d{{2}}\b|\b\d{{1,2}}\.\d{{1,2}}\.\d{{4}}\b"
    rf"|\b\d{{1,2}} {_MONTH}(?: \d{{4}})?\b|\b{_MONTH} \d{{1,2}}(?:, \d{{4}})?\b"
    rf"|\b{_MONTH} \d{{4}}\b|\bQ[1-4](?: \d{{4}})?\b"
)
# Two or more capitalised words in a row, on one line and not at a sentence's beginning.
_NAME = re.compile(r"(?<=[a-z,;(] )(?:[A-Z][\w'\u2019-]+)(?: (?:of |van |de )?[A-Z][\w'\u2019-]+)+")


def _sentences(text: str) -> list[str]:
    found = re.split(r"(?<=[.!?])\s+(?=[A-ZÀ-Þ0-9\"“(])|\n{2,}", text.strip())
    return [" ".join(sentence.split()) for sentence in found if sentence.strip()] or ["No text."]


def _at_least_three(sentences: list[str]) -> list[str]:
    if len(sentences) >= 3:
        return sentences
    clauses = [clause.strip() for s in sentences for clause in re.split(r"[;,:]\s+", s)]
    padding = ["The report says no more.", "It was not read by a model.", "Read it in full."]
    return ([clause for clause in clauses if clause] + padding)[: max(3, len(clauses))]


def _sentence_with(date: str, sentences: list[str]) -> str:
    return next((sentence for sentence in sentences if date in sentence), "Named in the report.")


def _shortened(text: str, words_at_most: int) -> str:
    words = text.split()
    return text if len(words) <= words_at_most else " ".join(words[:words_at_most]) + " …"
