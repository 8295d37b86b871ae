"""Where in a text the items of an array are written from: its dates, sums, risks or names."""

from __future__ import annotations

from typing import Any

import msgspec

from headgate.simulator.schema.meaning import FACTUAL, Meaning, Place
from headgate.simulator.text.dates import dates
from headgate.simulator.text.figures import money
from headgate.simulator.text.names import names
from headgate.simulator.text.ranking import best_sentences
from headgate.simulator.text.risks import risks_among
from headgate.simulator.text.source import Source
from headgate.simulator.text.words import name_words

_USUAL_RISKS = 3


def item_places(item: Any, place: Place, least: int, most: int) -> list[Place]:
    """Where the items of an array of objects or numbers are written from."""
    source = place.source
    found: list[tuple[Source, str | None]] = []
    meanings = _meanings(item, place)
    if "date" in meanings:
        known: set[str] = set()
        for sentence in source.sentences:
            for date in dates(sentence):
                if date.text not in known:
                    known.add(date.text)
                    found.append((source.narrowed(sentence), date.text))
    elif "money" in meanings:
        found = [(source.narrowed(one), None) for one in source.sentences if money(one)]
    elif {"risk", "risks"} & set(name_words(place.name)):
        most_told = max(least, min(most, _USUAL_RISKS))
        found = [(source.narrowed(one), None) for one in risks_among(source.sentences, most_told)]
        if not found and least == 0:
            return []
    elif "name" in meanings or "organisation" in meanings:
        found = [(source.narrowed(one), None) for one in source.sentences if names(one)]
    if not found and least == 0 and meanings & FACTUAL:
        return []
    if not found:
        usual = min(most, max(least, 2))
        found = [(source.narrowed(one), None) for one in best_sentences(source, usual)]
    # A sentence of its own has one of each fact; the whole source has them in its order.
    places = [
        msgspec.structs.replace(place.item(part, at), date=date, index=0)
        for at, (part, date) in enumerate(found[:most])
    ]
    places += [place.item(source, at) for at in range(len(places), least)]
    return places


def _meanings(item: Any, place: Place) -> set[Meaning]:
    """What the properties of an array's items ask for."""
    if not isinstance(item, dict) or not isinstance(item.get("properties"), dict):
        return {place.meaning}
    return {
        place.within(name).meaning
        if not isinstance(part, dict)
        else msgspec.structs.replace(
            place.within(name), description=str(part.get("description", ""))
        ).meaning
        for name, part in item["properties"].items()
    }
