"""Which option, truth value or number suits a text best."""

from __future__ import annotations

import re
from typing import Any

from headgate.simulator.schema.meaning import Place
from headgate.simulator.text import figures
from headgate.simulator.text.language import NAMES
from headgate.simulator.text.topics import TOPICS, is_vague, mood, top_topic, topic_scores, urgency
from headgate.simulator.text.word_families import ladder, option_topics
from headgate.simulator.text.words import fold, name_words, stem, words

_MOODS = {
    "positive": "positive",
    "happy": "positive",
    "satisfied": "positive",
    "good": "positive",
    "negative": "negative",
    "angry": "negative",
    "unhappy": "negative",
    "frustrated": "negative",
    "bad": "negative",
    "neutral": "neutral",
    "mixed": "neutral",
}
_FALLBACKS = (
    "other",
    "general",
    "unknown",
    "none",
    "unspecified",
    "neutral",
    "default",
    "misc",
    "medium",
    "normal",
    "no",
)
_YES = frozenset(("valid", "ok", "correct", "success", "supported", "relevant", "safe", "answered"))
_VAGUE = frozenset(("clarification", "clarify", "vague", "unclear", "incomplete", "ambiguous"))
_URGENT = frozenset(("urgent", "escalate", "escalation", "critical", "emergency", "immediate"))


def ranked_options(options: list[Any], place: Place) -> list[Any]:
    """`options`, the one that suits the source best first."""
    named = [str(option).lower() for option in options]
    scores = _scores(named, place)
    order = sorted(range(len(options)), key=lambda at: (-scores[at], _fallback_rank(named[at]), at))
    return [options[at] for at in order]


def fitting_options(options: list[Any], place: Place) -> list[Any]:
    """Those of `options` that the source speaks of, the best first."""
    scores = dict(zip(options, _scores([str(o).lower() for o in options], place), strict=True))
    return [option for option in ranked_options(options, place) if scores[option] > 0]


def truth(place: Place) -> bool:
    """Whether a boolean property holds for the source."""
    parts = set(name_words(place.name))
    facts = place.source.facts
    if parts & _VAGUE:
        return is_vague(facts)
    if parts & _URGENT:
        return urgency(facts) >= 0.9
    if parts & {"email", "mail"}:
        return figures.EMAIL.search(facts) is not None
    if parts & {"phone", "telephone"}:
        return figures.PHONE.search(facts) is not None
    if parts & {"pii", "personal"}:
        return bool(figures.EMAIL.search(facts) or figures.PHONE.search(facts))
    if found := [_MOODS[part] for part in parts if part in _MOODS]:
        return mood(facts) in found
    scores = topic_scores(facts)
    about = {option_topics()[part] for part in parts if part in option_topics()}
    if about:
        return any(scores[topic] > 0 for topic in TOPICS if topic in about)
    if parts & _YES:
        return True
    said = {stem(word) for word in place.source.content_words}
    return bool(said & {stem(part) for part in parts if len(part) > 3})


def wished_number(place: Place) -> tuple[float, bool]:
    """The number for a property, and whether the source says it."""
    facts = place.source.facts
    match place.meaning:
        case "share":
            # More facts, more confidence; never certain.
            return round(min(0.97, 0.55 + 0.02 * len(set(place.source.content_words))), 2), True
        case "rating":
            return {"positive": 5.0, "neutral": 3.0, "negative": 1.0}[mood(facts)], True
        case "money" if found := figures.money(facts):
            return found[min(place.index, len(found) - 1)].amount, True
        case _:
            pass
    near = _number_near(place)
    if near is not None:
        return near, True
    said = figures.numbers(facts)
    if place.index < len(said):
        return said[place.index], True
    return float(place.index + 1), False


def _number_near(place: Place) -> float | None:
    """The number that stands next to one of the property's words."""
    for word in reversed(name_words(place.name)):
        if len(word) < 3:
            continue
        label = re.escape(word.removesuffix("s"))
        number = r"(-?\d[\d,]*(?:\.\d+)?)"
        for pattern in (
            rf"{number}\W{{0,2}}{label}",
            rf"\b{label}\w*\W{{0,3}}(?:(?:is|was|of)\W+)?{number}",
            rf"{number}\W+\w+\W+{label}",
            rf"\b{label}\w*\W+(?:\w+\W+){{1,2}}?{number}",
        ):
            if found := re.search(pattern, place.source.facts, re.IGNORECASE):
                return figures.numbers(found[1])[0]
    return None


def _scores(named: list[str], place: Place) -> list[float]:
    """How well each option suits; all 0 where nothing tells."""
    facts = place.source.facts
    ranks = [_rank(name) for name in named]
    if sum(rank is not None for rank in ranks) * 2 > len(named) and len(named) > 1:
        wanted = urgency(facts)
        return [0.0 if rank is None else 2 - abs(rank - wanted) for rank in ranks]
    if any(name in NAMES or name in _LANGUAGE_CODES for name in named):
        code = place.source.language
        return [1.0 if name == code or _LANGUAGE_CODES.get(name) == code else 0.0 for name in named]
    if sum(name in _MOODS for name in named) * 2 > len(named):
        wanted_mood = mood(facts)
        return [1.0 if _MOODS.get(name) == wanted_mood else 0.0 for name in named]
    return [_affinity(name, place) for name in named]


_LANGUAGE_CODES = {name.lower(): code for code, name in NAMES.items()}


def _affinity(name: str, place: Place) -> float:
    facts = place.source.facts
    parts = name_words(name)
    scores = topic_scores(facts)
    top = top_topic(facts)
    topics = {option_topics()[part] for part in parts if part in option_topics()}
    if "_".join(parts) in TOPICS:
        topics = {"_".join(parts)}
    # A desk for everything takes what no special one does.
    if "general" in parts:
        topics = {"how_to", "spam"}
    score = sum(scores[topic] for topic in TOPICS if topic in topics)
    if top is not None and top in topics:
        score += 100
    if topics:
        # A message that says too little is about nothing yet, whatever words it uses.
        return 0.0 if is_vague(facts) else score
    said = {stem(word) for word in words(fold(facts))}
    hits = sum(stem(part) in said for part in parts if len(part) > 1)
    return hits / len(parts) if parts else 0.0


def _rank(name: str) -> float | None:
    if name in ladder():
        return ladder()[name]
    parts = name_words(name)
    return next((ladder()[part] for part in reversed(parts) if part in ladder()), None)


def _fallback_rank(name: str) -> int:
    return _FALLBACKS.index(name) if name in _FALLBACKS else len(_FALLBACKS)
