"""A short answer in plain text, composed from what was asked."""

# ruff: noqa: RUF001 - typographic quotes and dashes are what is read here

from __future__ import annotations

import re

from headgate.simulator.text.ranking import best_sentences, keywords, points
from headgate.simulator.text.sentences import as_sentence, shortened
from headgate.simulator.text.source import Source
from headgate.simulator.text.topics import is_vague, top_topic

_SAY = re.compile(
    r"^(?:please\s+)?(?:say|reply with|respond with|answer with|repeat after me|repeat|echo)"
    r"(?:\s+(?:exactly|only|just|the words?|the text|this))*\s*:?\s+(?P<what>.+)$",
    re.IGNORECASE | re.DOTALL,
)
_SUM = re.compile(r"(?<![\d.])(-?\d{1,9})\s*([-+*x×/])\s*(-?\d{1,9})(?![\d.])")
_GREETING = re.compile(
    r"^(?:hi|hello|hey|good (?:morning|evening|afternoon))\b[\s\w,!.]{0,20}$", re.IGNORECASE
)
_SUMMARISE = re.compile(
    r"\b(?:summari[sz]e|summary|tl;?dr|zusammenfass\w*|résum\w+|resum\w+)\b", re.IGNORECASE
)
_WORDS_WANTED = re.compile(r"\b(\d{1,4})[\s-]*words?\b", re.IGNORECASE)
_SENTENCES_WANTED = re.compile(
    r"\b(one|two|three|four|five|\d{1,2})[\s-]*(?:short\s+)?sentences?\b", re.IGNORECASE
)
_LONG = re.compile(
    r"\b(?:essay|in detail|detailed|long|thorough|comprehensive|story)\b", re.IGNORECASE
)
_NUMBERS = {"one": 1, "two": 2, "three": 3, "four": 4, "five": 5}

MAX_WORDS = 2_000
"""The longest answer, in words, however long a one is asked for."""


def answer(source: Source, *, variant: int = 0) -> str:
    """An answer to the user's message; another wording for another `variant`."""
    asked = source.asked.strip()
    if not asked:
        return "There is nothing to answer yet: the message is empty."
    if said := _SAY.match(asked):
        return said["what"].strip().strip("\"'“”‘’").rstrip() if len(asked) < 500 else asked
    if result := _arithmetic(asked):
        return result
    if _GREETING.match(asked):
        return ("Hello! How can I help you today?", "Hi there! What can I do for you?")[variant % 2]
    if _SUMMARISE.search(asked) and len(source.sentences) > 2:
        return " ".join(as_sentence(found) for found in best_sentences(source, _wanted(asked) or 3))
    return _discussed(source, _wanted(asked) or 3, variant)


def reply(source: Source) -> str:
    """A reply to whoever wrote the source's text."""
    about = subject_of(source)
    if is_vague(source.facts):
        return "Thank you for your message. Could you tell us what happened, where and since when?"
    closing = {
        "outage": "We are working on restoring the service and will keep you posted.",
        "security": "We are treating this with the highest priority and have told our security"
        " team.",
        "billing": "We are checking your account and will correct any wrong charge.",
        "account_access": "We will help you back into your account as soon as we have verified your"
        " identity.",
    }.get(top_topic(source.facts) or "", "We will look into it and come back to you shortly.")
    return f"Thank you for your message about {about}. {closing}"


def from_results(results: list[tuple[str, str]]) -> str:
    """An answer that tells what tools returned; `results` are pairs of name and text."""
    told = [f"{name.replace('_', ' ')}: {shortened(result, 600)}" for name, result in results]
    if len(told) == 1:
        return f"Here is what I found with {told[0]}"
    return "Here is what I found.\n" + "\n".join(f"- {line}" for line in told)


def subject_of(source: Source) -> str:
    """What the source is about, in a few words."""
    if source.heading:
        return f"“{shortened(source.heading, 80)}”"
    found = keywords(source, 3)
    if not found:
        return "your request"
    return found[0] if len(found) == 1 else f"{', '.join(found[:-1])} and {found[-1]}"


def _discussed(source: Source, count: int, variant: int) -> str:
    about = subject_of(source)
    words = keywords(source, 6) or ["this"]
    openings = (
        f"In short, there are a few things to know about {about}.",
        f"Here is a brief view of {about}.",
        f"The main points about {about} are these.",
    )
    bodies = [
        f"Start with {words[0]}, since the rest depends on it.",
        f"Then look at how {words[1 % len(words)]} and {words[-1]} relate to each other.",
        f"For {words[2 % len(words)]}, it helps to begin with a small case that you can check.",
        f"What matters most for {words[3 % len(words)]} is that the assumptions are written down.",
        f"If {words[4 % len(words)]} changes, look at the conclusion again.",
        *(f"You mention that {_lowered(point)}" for point in points(source, 6)),
    ]
    sentences = [openings[variant % len(openings)]]
    place = variant
    while len(sentences) < count:
        sentences.append(bodies[place % len(bodies)])
        place += 1
    return " ".join(sentences)


def _wanted(asked: str) -> int | None:
    """How many sentences are asked for, if a length is; a sentence is taken as 14 words."""
    if found := _SENTENCES_WANTED.search(asked):
        return max(1, _NUMBERS.get(found[1].lower()) or int(found[1]))
    if found := _WORDS_WANTED.search(asked):
        return max(1, min(int(found[1]), MAX_WORDS) // 14)
    return 14 if _LONG.search(asked) else None


def _arithmetic(asked: str) -> str | None:
    found = _SUM.search(asked)
    if found is None or len(asked) > 200:
        return None
    left, sign, right = int(found[1]), found[2], int(found[3])
    match sign:
        case "+":
            result: float = left + right
        case "-":
            result = left - right
        case "/":
            if right == 0:
                return "A number can't be divided by zero."
            result = left / right
        case _:
            result = left * right
    return f"{left} {sign} {right} = {result:.12g}"


def _lowered(sentence: str) -> str:
    """The sentence as it reads in the middle of another."""
    first, _, _ = sentence.partition(" ")
    return sentence if first.isupper() or first == "I" else sentence[0].lower() + sentence[1:]
