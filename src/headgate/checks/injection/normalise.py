"""How a text reads once nothing in it is hidden or dressed up.

Every reading is made in time linear in the text and is not longer than it by more than a factor,
and there are at most `MAX_READINGS`. What is nested deeper than `MAX_DEPTH` is left alone: then it
is hard for a model to read, too.
"""

from __future__ import annotations

import re
from typing import Final, Literal

import msgspec

from headgate.checks.injection.characters import (
    BETWEEN_LETTERS,
    FLAG,
    OVERRIDES,
    TAGS,
    TWINS,
    VARIATIONS,
    is_styled,
    plain,
)
from headgate.checks.injection.disguises import MAX_DISGUISES, disguised
from headgate.checks.injection.islands import CODES, decoded
from headgate.checks.injection.reading import Reading, Span

MAX_DEPTH: Final = 3
"""How often what was decoded is decoded again."""

MAX_READINGS: Final = (3 + MAX_DEPTH * len(CODES)) * (1 + MAX_DISGUISES)
"""How many readings a text has at most. All pieces in one code are one reading, so that no number
of harmless ones can crowd an attack out."""

Hiding = Literal["tags", "variation_bytes", "override", "zero_width", "mixed_scripts", "styled"]
"""How letters were hidden or dressed up, which is a sign in itself.

`tags`, `variation_bytes`: an invisible message. `override`: letters in another order than shown.
`zero_width`: invisible characters inside words. `mixed_scripts`: words with letters of two scripts.
`styled`: words in mathematical, circled or full-width letters.
"""

_WORD = re.compile(r"[^\W\d_]+")
_ENOUGH_TO_HIDE = 3


class Normalised(msgspec.Struct, frozen=True):
    """A text's readings, the plain one first."""

    readings: tuple[Reading, ...]
    hiding: tuple[tuple[Hiding, Span], ...]
    """What was hidden how, and where in the original."""


def normalised(text: str) -> Normalised:
    """All readings of `text` that are worth a look."""
    hiding: list[tuple[Hiding, Span]] = []
    level = [_plain_reading(text, hiding), *_hidden_messages(text, hiding)]
    readings = list(level)
    for _ in range(MAX_DEPTH):
        # What was decoded may itself be dressed up in letters.
        level = [_without_disguises(found) for found in decoded(level)]
        readings += level
    for reading in tuple(readings):
        readings += disguised(reading)
    return Normalised(tuple(readings), tuple(hiding))


def _plain_reading(text: str, hiding: list[tuple[Hiding, Span]]) -> Reading:
    if text.isascii():
        return Reading(text, range(len(text)))
    letters: list[str] = []
    origins: list[int] = []
    styled = 0
    for place, character in enumerate(text):
        if character < "\x80":
            letters.append(character)
            origins.append(place)
            continue
        styled += is_styled(character)
        for part in plain(character):
            letters.append(part)
            origins.append(place)
    if styled > _ENOUGH_TO_HIDE:
        hiding.append(("styled", (0, len(text))))
    if any(mark in text for mark in OVERRIDES):
        hiding.append(("override", (0, len(text))))
    inside = list(BETWEEN_LETTERS.finditer(text))
    if len(inside) >= _ENOUGH_TO_HIDE:
        hiding.append(("zero_width", (inside[0].start(), inside[-1].end())))
    shown = "".join(letters)
    if not shown.isascii():
        shown, mixed = _latin(shown)
        if mixed >= 2:
            hiding.append(("mixed_scripts", (0, len(text))))
    return Reading(shown, origins)


def _latin(text: str) -> tuple[str, int]:
    """`text` with letters that pose as Latin ones made Latin, and how many words mixed scripts.

    A word is touched where it has both kinds, or where it consists of twins alone and the text
    around it is Latin; so Russian and Greek stay.
    """
    twins = sum(text.count(twin) for twin in TWINS)
    if not twins:
        return text, 0
    latin = sum("a" <= letter <= "z" for letter in text.lower())
    foreign = sum(letter.isalpha() and not letter.isascii() for letter in text) - twins
    mostly_latin = latin > 4 * max(foreign, 0) and latin > twins / 2
    mixed = 0

    def folded(found: re.Match[str]) -> str:
        nonlocal mixed
        word = found[0]
        has_twin = any(letter in TWINS for letter in word)
        if not has_twin:
            return word
        has_latin = any(letter.isascii() for letter in word)
        only_twins = all(letter in TWINS for letter in word)
        if has_latin or (mostly_latin and only_twins):
            mixed += has_latin or len(word) > 2
            return "".join(TWINS.get(letter, letter) for letter in word)
        return word

    return _WORD.sub(folded, text), mixed


def _without_disguises(reading: Reading) -> Reading:
    """`reading` with its letters made plain."""
    if reading.text.isascii():
        return reading
    shown = _plain_reading(reading.text, [])
    return reading.derived(shown.text, shown.origins, "none")


def _hidden_messages(text: str, hiding: list[tuple[Hiding, Span]]) -> list[Reading]:
    """What is written in invisible characters: a reading for each of the two ways."""
    if text.isascii():
        return []
    flags = {flag.start() + 1 for flag in FLAG.finditer(text)}
    tags = [run for run in TAGS.finditer(text) if run.start() not in flags]
    variations = list(VARIATIONS.finditer(text))
    hiding += (("tags", run.span()) for run in tags)
    hiding += (("variation_bytes", run.span()) for run in variations)
    found: list[Reading] = []
    if tags:
        places = [place for run in tags for place in range(*run.span())]
        said = "".join(chr(ord(text[place]) - 0xE0000) for place in places)
        found.append(Reading(said.replace("\x7f", " "), places, "tags"))
    if variations:
        places = [place for run in variations for place in range(*run.span())]
        # Letter by letter: what is hidden so is ASCII in practice, and places stay known.
        said = "".join(chr(_hidden_byte(text[place])) for place in places)
        found.append(Reading(said, places, "variation_bytes"))
    return found


def _hidden_byte(selector: str) -> int:
    number = ord(selector)
    return number - 0xFE00 if number <= 0xFE0F else number - 0xE0100 + 16
