"""The languages that the detector knows."""

from __future__ import annotations

from typing import Final

from headgate.checks.injection.concepts import Vocabulary
from headgate.checks.injection.vocabularies.chinese import CHINESE
from headgate.checks.injection.vocabularies.dutch import DUTCH
from headgate.checks.injection.vocabularies.english import ENGLISH
from headgate.checks.injection.vocabularies.french import FRENCH
from headgate.checks.injection.vocabularies.german import GERMAN
from headgate.checks.injection.vocabularies.italian import ITALIAN
from headgate.checks.injection.vocabularies.portuguese import PORTUGUESE
from headgate.checks.injection.vocabularies.spanish import SPANISH

VOCABULARIES: Final[tuple[Vocabulary, ...]] = (
    ENGLISH, GERMAN, FRENCH, SPANISH, ITALIAN, DUTCH, PORTUGUESE, CHINESE,
)  # fmt: skip
"""All of them are used at once: attacks mix languages."""
