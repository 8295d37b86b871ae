"""Which sentences of a text say most, and which words it is about."""

from __future__ import annotations

import re
from collections import Counter

from headgate.simulator.text.dates import MONTHS, dates
from headgate.simulator.text.sentences import as_sentence, clauses, shortened
from headgate.simulator.text.source import Source
from headgate.simulator.text.words import content_words, stem, stems

_COURTESY = re.compile(
    r"^(?:hi|hello|hey|dear|good (?:morning|afternoon|evening)|thanks?|thank you|many thanks|best"
    r"|kind regards|regards|sincerely|cheers|yours|hallo|guten tag|sehr geehrte|mit freundlichen"
    r"|viele grüße|vielen dank|danke|bonjour|cordialement|merci|bien à vous|hola|buenos d[ií]as"
    r"|buenas|gracias|un saludo|saludos|ciao|buongiorno|grazie|ol[aá]|obrigad[oa]|sent from my)\b",
    re.IGNORECASE,
)

_OPENING = re.compile(
    r"^(?:hi|hello|hey|dear|hallo|guten (?:tag|morgen)|good (?:morning|afternoon|evening)|bonjour"
    r"|salut|hola|buenos d[ií]as|buenas|ciao|buongiorno|ol[aá]|goedemiddag|goedemorgen)"
    r"(?:\s+[\w/.]+){0,3}\s*[,!]\s*",
    re.IGNORECASE,
)

_PLAIN = frozenset(
    (
        "good",
        "way",
        "tell",
        "give",
        "want",
        "know",
        "explain",
        "write",
        "make",
        "need",
        "using",
        "use",
        "think",
        "short",
        "briefly",
        "new",
        "one",
        "two",
    )
)
"""Words that say little of what a text is about, though they are no grammar."""

ALIKE = 0.6
"""From which share of common words two sentences say the same."""

POINT_CHARS = 220
"""How long a summary's point may be."""


def is_courtesy(sentence: str) -> bool:
    """Whether `sentence` only greets, thanks or signs."""
    return bool(_COURTESY.match(sentence)) and len(sentence.split()) <= 6


def ranked(source: Source) -> list[str]:
    """The sentences of `source`, those that say most first, courtesies left out."""
    candidates = [found for found in source.sentences if not is_courtesy(found)]
    weights = Counter(stem(word) for word in source.content_words)
    subject = {stem(word) for word in content_words(source.subject)}

    def score(place: int) -> tuple[float, int]:
        sentence = candidates[place]
        found = [stem(word) for word in content_words(sentence)]
        if not found:
            return (-1.0, -place)
        common = sum(weights[word] for word in set(found)) / (4 + len(found)) ** 0.6
        facts = 0.8 * min(3, len(re.findall(r"\d+", sentence))) + 0.8 * min(1, len(dates(sentence)))
        lead = 1.5 if place == 0 else 0.0
        return (common + facts + lead + 0.5 * len(subject & set(found)), -place)

    order = sorted(range(len(candidates)), key=score, reverse=True)
    return [candidates[place] for place in order]


def best_sentences(source: Source, count: int) -> list[str]:
    """At most `count` of the sentences that say most, in the text's own order."""
    order = {sentence: place for place, sentence in reversed(list(enumerate(source.sentences)))}
    chosen: list[str] = []
    for sentence in ranked(source):
        if len(chosen) == count:
            break
        if not any(_alike(sentence, other) for other in chosen):
            chosen.append(sentence)
    return sorted(chosen, key=lambda sentence: order[sentence])


def points(source: Source, count: int) -> list[str]:
    """At most `count` points of `source`: its best sentences, or its clauses where it has few."""
    found = best_sentences(source, count)
    if len(found) < count:
        parts = [part for sentence in found for part in clauses(without_greeting(sentence))]
        if len(parts) > len(found):
            found = parts[:count]
    if len(found) < count and source.heading and not is_courtesy(source.heading):
        heading = as_sentence(source.heading).lower()
        if heading not in {as_sentence(point).lower() for point in found}:
            found = [source.heading, *found]
    return [as_sentence(shortened(without_greeting(point), POINT_CHARS)) for point in found]


def without_greeting(sentence: str) -> str:
    """`sentence` without a "Hello team, " before what it says."""
    rest = _OPENING.sub("", sentence, count=1)
    return rest or sentence


def _alike(one: str, other: str) -> bool:
    left, right = stems(one), stems(other)
    return one == other or len(left & right) > ALIKE * len(left | right)


def keywords(source: Source, count: int) -> list[str]:
    """The words `source` says most often, at most `count`, the first said first among equals."""
    tally: Counter[str] = Counter()
    shown: dict[str, str] = {}
    for word in source.content_words:
        if len(word) < 3 or word.isdigit() or word in _PLAIN or word in MONTHS:
            continue
        tally[stem(word)] += 1
        shown.setdefault(stem(word), word)
    return [shown[found] for found, _ in tally.most_common(count)]
