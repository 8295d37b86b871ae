"""A route's `classifier:`: a small model that grades requests, for rules that ask for a grade."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

from headgate.config.asked_model import AskedModelSettings
from headgate.config.table import Name, Seconds


def _simple_or_hard() -> dict[str, str]:
    return {
        "simple": "a small model does it well: a greeting, a rewording, a short translation,"
        " finding something in a text, a question with a well-known answer",
        "hard": "it takes several steps of thought, special knowledge, calculation, code, or a"
        " long answer",
    }


class ClassifierSettings(AskedModelSettings, frozen=True, kw_only=True):
    """A small model that grades requests, for the targets of a tiered route whose `when` asks."""

    otherwise: Annotated[
        str,
        Meta(description="The grade where it fails, is late, or there is no text to be graded."),
    ]
    grades: Annotated[
        dict[Name, str],
        Meta(
            min_length=2,
            max_length=20,
            description="What each grade means, as the classifier is told.",
        ),
    ] = msgspec.field(default_factory=_simple_or_hard)
    timeout_s: Annotated[Seconds, Meta(description="How long a call waits for its grade.")] = 2.0
    max_input_characters: Annotated[
        int,
        Meta(
            ge=100,
            le=100_000,
            description="Of a longer text, the beginning and the end are graded.",
        ),
    ] = 4_000
