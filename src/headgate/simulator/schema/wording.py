"""The text for a property: taken from the source where it says it, or put in a few words."""

from __future__ import annotations

import re

from headgate.simulator.schema.meaning import Meaning, Place
from headgate.simulator.text import figures, prose
from headgate.simulator.text.dates import dates
from headgate.simulator.text.labels import label_of
from headgate.simulator.text.language import NAMES
from headgate.simulator.text.names import names
from headgate.simulator.text.phrases import ACTIONS, ASK_FIRST, clarifying_questions, fillers
from headgate.simulator.text.questions import follow_up_questions
from headgate.simulator.text.ranking import (
    best_sentences,
    keywords,
    points,
    ranked,
    without_greeting,
)
from headgate.simulator.text.sentences import as_sentence, shortened
from headgate.simulator.text.source import Source
from headgate.simulator.text.topics import is_vague, mood, top_topic
from headgate.simulator.text.words import name_words, stem, stems

NOT_STATED = "not stated"
"""What stands for a fact that the source doesn't give, where null isn't allowed."""

_SOURCES = frozenset(("source", "sources"))
"""Words that ask where something is known from."""

_COPIED: frozenset[Meaning] = frozenset(
    ("summary", "title", "points", "question", "clarification", "action", "answer", "topic", "mood")
)
"""What is composed, and so never looked up as `name: value` in the source."""


def text_for(place: Place) -> tuple[str, bool]:
    """The text for `place`, and whether the source says it."""
    if place.wording is not None:
        return place.wording, True
    if _SOURCES & set(name_words(place.name)) and (label := _label(place)) is not None:
        return label, True
    meaning = place.meaning
    if meaning not in _COPIED and (stated := _stated(place)):
        return stated, True
    texts = texts_for(place, place.index + 1, listed=False)
    if len(texts) > place.index:
        return texts[place.index], True
    return NOT_STATED, False


def _label(place: Place) -> str | None:
    """The label of the fact that a part of the value is about, where the facts have labels."""
    return label_of(place.source.body, place.source.asked)


def texts_for(place: Place, count: int, *, listed: bool = True) -> list[str]:
    """At most `count` texts for `place`; fewer where the source says no more.

    A summary or points are one text each unless `listed`, for then they are the list.
    """
    source = place.source
    match place.meaning:
        case "summary" if not listed:
            return [_summary(source)]
        case "summary" | "points":
            return _padded_points(source, count) if listed else points(source, count)
        case "title":
            return [shortened(source.heading or (ranked(source) or [NOT_STATED])[0], 80)]
        case "question":
            return follow_up_questions(source, count)
        case "clarification":
            wanted = is_vague(source.facts)
            return list(clarifying_questions(source.language))[:count] if wanted else []
        case "action":
            return _actions(source, count)
        case "name" | "organisation" | "place":
            found_names = names(source.facts)
            if not listed:
                # One name is asked for: a full one is surer to be one.
                found_names.sort(key=lambda name: " " not in name)
            return found_names[:count]
        case "date":
            return _dates(place)[:count]
        case "keyword":
            return keywords(source, count)
        case "topic":
            topic = top_topic(source.facts)
            return ([topic] if topic else []) + keywords(source, count - bool(topic))
        case "event":
            found = [source.body] if len(source.sentences) == 1 else best_sentences(source, count)
            return [as_sentence(shortened(" ".join(text.split()), 160)) for text in found]
        case "quote":
            return best_sentences(source, count)
        case "answer":
            return [prose.reply(source)]
        case "unknown":
            return _closest(place, count)
        case _:
            single = _single(place)
            return [single] if single else []


def _single(place: Place) -> str | None:
    source = place.source
    text = source.facts
    match place.meaning:
        case "language":
            name_wanted = "full name" in place.description.lower()
            code = source.language
            return NAMES.get(code, code) if name_wanted else code
        case "mood":
            return mood(text)
        case "reason":
            best = ranked(source)
            return f"The text says: “{shortened(best[0], 160)}”" if best else None
        case "identifier":
            return figures.first(figures.IDENTIFIER, text)
        case "email":
            return figures.first(figures.EMAIL, text)
        case "phone":
            return figures.first(figures.PHONE, text)
        case "url":
            return figures.first(figures.URL, text)
        case "money":
            return next((found.text for found in figures.money(text)), None)
        case "currency":
            return next((found.currency for found in figures.money(text)), None)
        case "quantity" | "share" | "rating":
            return next((f"{found:g}" for found in figures.numbers(text)), None)
        case "time":
            found = re.search(r"\b\d{1,2}:\d{2}\b", text)
            return found[0] if found else None
        case "whole_text":
            return source.body.strip() or None
        case _:
            return None


def _summary(source: Source) -> str:
    best = [as_sentence(without_greeting(found)) for found in best_sentences(source, 2)]
    text = " ".join(best)
    if len(text) > 300:
        text = best[0]
    return shortened(text or as_sentence(source.heading) or fillers(source.language)[0], 300)


def _padded_points(source: Source, count: int) -> list[str]:
    """`count` points; where the source has too few, what it leaves open fills them up."""
    found = points(source, count)
    for filler in fillers(source.language):
        if len(found) >= count:
            break
        found.append(filler)
    return found


def _actions(source: Source, count: int) -> list[str]:
    if is_vague(source.facts):
        return [ASK_FIRST]
    topic = top_topic(source.facts)
    return [ACTIONS[topic], ACTIONS[None]][: 1 if topic is None else count]


def _dates(place: Place) -> list[str]:
    if place.date is not None:
        return [place.date]
    found = dates(place.source.facts)
    wants_iso = re.search(r"iso|yyyy", place.description.lower()) is not None
    return [(date.iso or date.text) if wants_iso else date.text for date in found]


def _stated(place: Place) -> str | None:
    """What the source says after the property's own name: `Order number: 4711`."""
    parts = name_words(place.name)
    if not parts:
        return None
    label = r"[\s_-]*".join(re.escape(part) for part in parts)
    found = re.search(
        rf"(?:^|[\n,;.:(])\s*{label}\s*(?:is|[:=])\s*([^\n,;]+)", place.source.asked, re.IGNORECASE
    )
    if found is None:
        return None
    value = found[1].strip(" \"'.")
    # A template's own words ("summary: three points") are no facts of the source.
    return value if value and value in place.source.facts else None


def _closest(place: Place, count: int) -> list[str]:
    """The sentences that share most words with the property's name, then the best ones."""
    wanted = {stem(word) for word in name_words(place.name)} | stems(place.description)
    best = ranked(place.source)
    close = sorted(best, key=lambda sentence: -len(wanted & stems(sentence)))
    return [shortened(sentence, 160) for sentence in close[:count]]
