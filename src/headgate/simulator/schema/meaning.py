"""What a property asks for, judged by its name and, failing that, its description."""

from __future__ import annotations

from typing import Literal

import msgspec

from headgate.simulator.text.source import Source
from headgate.simulator.text.words import name_words, words

Meaning = Literal[
    "summary",
    "title",
    "points",
    "date",
    "time",
    "event",
    "name",
    "organisation",
    "place",
    "language",
    "action",
    "question",
    "clarification",
    "reason",
    "quote",
    "identifier",
    "email",
    "phone",
    "url",
    "money",
    "currency",
    "quantity",
    "share",
    "rating",
    "keyword",
    "topic",
    "mood",
    "answer",
    "whole_text",
    "unknown",
]
"""What a property asks for.

`share`: a number between 0 and 1. `mood`: positive, negative or neutral. `whole_text`: the text
itself, as for a translation.
"""

FACTUAL: frozenset[Meaning] = frozenset(
    (
        "date",
        "time",
        "name",
        "organisation",
        "place",
        "identifier",
        "email",
        "phone",
        "url",
        "money",
        "currency",
        "quantity",
    )
)
"""What a text either says or doesn't: where it doesn't, a nullable property is null."""

_WORDS: dict[Meaning, str] = {
    "summary": "summary tldr abstract overview gist synopsis recap brief",
    "title": "title subject headline heading caption",
    "points": "point bullet highlight takeaway finding insight fact key_point detail",
    "date": "date day when due deadline birthday birthdate expiry",
    "time": "time hour",
    "event": "event what happening occurrence description incident milestone",
    "name": "name person people customer author attendee participant contact sender recipient"
    " speaker employee user client owner assignee",
    "organisation": "organisation organization company vendor supplier employer brand merchant",
    "place": "place location city country address region state town destination origin venue",
    "language": "language lang locale",
    "action": "action recommendation step remedy resolution solution instruction task todo fix",
    "question": "question query",
    "reason": "reason rationale explanation why justification reasoning cause thought because"
    " evidence_reason analysis comment note",
    "quote": "quote evidence excerpt citation passage snippet span",
    "identifier": "id identifier number_id reference ref sku code invoice order ticket tracking"
    " account",
    "email": "email mail",
    "phone": "phone telephone mobile fax",
    "url": "url link website uri homepage",
    "money": "amount price total cost fee salary budget revenue balance sum subtotal tax",
    "currency": "currency",
    "quantity": "quantity count number age year years days qty size length duration hours minutes"
    " weight height temperature",
    "share": "confidence probability score certainty likelihood ratio percentage share relevance",
    "rating": "rating stars grade rank",
    "keyword": "keyword tag label term keyphrase",
    "topic": "topic category theme intent subject_area kind type class classification department",
    "mood": "sentiment tone mood emotion polarity",
    "answer": "answer reply response message text content output result body draft joke story poem",
    "whole_text": "translation original transcript",
}
_MEANINGS: dict[str, Meaning] = {
    word: meaning for meaning, listed in _WORDS.items() for word in listed.split()
}
_CLARIFYING = frozenset(("clarify", "clarifying", "clarification", "clarifications"))


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """Where in a value a part stands, and what it may be written from."""

    name: str = ""
    """The nearest property's name."""
    description: str = ""
    source: Source
    date: str | None = None
    """The date that this part of the value is about."""
    index: int = 0
    """Its position, in an array."""
    wording: str | None = None
    """The text to put here, where it is chosen already."""
    depth: int = 0
    """How many objects and arrays it is within."""

    @property
    def meaning(self) -> Meaning:
        """What it asks for."""
        return meaning_of(self.name, self.description)

    def within(self, name: str) -> Place:
        """The place of the property `name` of an object here."""
        return msgspec.structs.replace(self, name=name, description="", depth=self.depth + 1)

    def item(self, source: Source, at: int) -> Place:
        """The place of an item of an array here, to be written from `source`."""
        return msgspec.structs.replace(self, source=source, index=at, depth=self.depth + 1)

    def worded(self, text: str, at: int) -> Place:
        """That of an item for which `text` is the wording, to be fitted to a schema."""
        return msgspec.structs.replace(self, wording=text, index=at, depth=self.depth + 1)


def meaning_of(name: str, description: str) -> Meaning:
    """What a property of this name asks for."""
    parts = name_words(name)
    if _CLARIFYING & set(parts):
        return "clarification"
    for word in reversed(parts):
        if found := _meaning_of_word(word):
            return found
    for word in words(description)[:12]:
        if found := _meaning_of_word(word):
            return found
    return "unknown"


def _meaning_of_word(word: str) -> Meaning | None:
    for form in (word, word.removesuffix("s"), word.removesuffix("es"), word[:-3] + "y"):
        if form in _MEANINGS:
            return _MEANINGS[form]
    return None
