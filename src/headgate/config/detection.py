"""Which personal data and secrets are looked for, in which languages, and with which own patterns.

What is done with what was found stands in a policy, not here.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Final, Literal, get_args

import msgspec
from msgspec import Meta

from headgate.config.yaml_file import YamlFile

Kind = Literal[
    "email",
    "phone",
    "payment_card",
    "iban",
    "national_id",
    "tax_id",
    "passport",
    "health_id",
    "ip_address",
    "mac_address",
    "date_of_birth",
    "secret",
    "street_address",
    "person",
    "place",
    "organisation",
]
"""What stands in a text.

`email`: an e-mail address, also one written as `name [at] host [dot] com`.
`phone`: a phone number that its country's numbering plan allows.
`payment_card`: a card number of a known issuer with a right check digit.
`iban`: an international bank account number with right check digits.
`national_id`: a number that a state knows a person by, such as the US SSN, the French NIR, the
Spanish DNI, the Italian codice fiscale, the Brazilian CPF or the Chinese resident number.
`tax_id`: a number that a tax office knows a person or a firm by, beside a word that says so or in a
form of its own.
`passport`: a passport's number beside a word that says so, or its machine-readable lines.
`health_id`: a number of a health service or insurance, or of a medical record.
`ip_address`: an IPv4 or IPv6 address that is not of the machine itself.
`mac_address`: the hardware address of a network card.
`date_of_birth`: a date beside a word that says that somebody was born.
`secret`: an API key, a token, a private key, a password.
`street_address`: a street with a number, and the town behind it.
`person`: a name of a person, by the words around it.
`place`: a country, a large city, or where somebody lives.
`organisation`: a firm by its legal form, or an institution by its word.
"""

KINDS: Final[tuple[Kind, ...]] = get_args(Kind)

STRUCTURED: Final[tuple[Kind, ...]] = KINDS[: KINDS.index("street_address")]
"""Kinds whose form, check digits or neighbours tell them; names of people and places are not."""

USUAL: Final[tuple[Kind, ...]] = KINDS[: KINDS.index("place")]
"""What is looked for where nothing else is said: all that points at one person."""

Language = Literal["en", "de", "fr", "es", "it", "nl", "pt", "zh"]
"""Whose words are known around a value, and by whose countries a phone number is judged."""

LANGUAGES: Final[tuple[Language, ...]] = get_args(Language)

_PATTERN_MEMORY_BYTES: Final = 1024 * 1024
"""More makes a pattern of an operator's slow; RE2 refuses it."""

Name = Annotated[str, Meta(pattern=r"^[a-z][a-z0-9_]{0,39}$")]
"""Small letters, digits and `_`; at most 40 characters."""


class OwnPatternSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Something that only your business has, such as its customer numbers: a pattern, or words."""

    name: Annotated[Name, Meta(description="The kind under which it is found.")]
    pattern: Annotated[
        str | None,
        Meta(
            description="A regular expression as RE2 knows it (no look-around, no references to"
            " groups). Where it has a group, the group is what is found."
        ),
    ] = None
    words: Annotated[
        tuple[Annotated[str, Meta(min_length=1, max_length=200)], ...],
        Meta(max_length=10_000, description="Or words and phrases, letter by letter."),
    ] = ()
    ignore_case: Annotated[
        bool, Meta(description="Whether small and capital letters are the same.")
    ] = False
    whole_words: Annotated[
        bool, Meta(description="Whether letters or digits right beside it make it something else.")
    ] = True
    score: Annotated[int, Meta(ge=1, le=100, description="How sure a match is.")] = 90


class DetectionSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How personal data and secrets are found."""

    kinds: Annotated[
        tuple[Kind, ...],
        Meta(min_length=1, description="What is looked for, besides `own`."),
    ] = USUAL
    languages: Annotated[
        tuple[Language, ...],
        Meta(min_length=1, description="Whose words tell what a form alone does not."),
    ] = LANGUAGES
    own: Annotated[
        tuple[OwnPatternSettings, ...],
        Meta(max_length=100, description="What only your business has."),
    ] = ()
    least_score: Annotated[
        int,
        Meta(ge=1, le=100, description="From which score a finding counts. Lower finds more."),
    ] = 50
    presidio_model: Annotated[
        Annotated[str, Meta(min_length=1)] | None,
        Meta(
            description="An installed spaCy model: with it Presidio, too, looks for `person`,"
            " `place` and `organisation`, as far as `kinds` names them. Needs the extra"
            " `headgate[presidio]`.",
        ),
    ] = None


def pattern_problem(pattern: str) -> str | None:
    """What keeps `pattern` from being used, or `None`."""
    # Loaded only where a file has patterns: every command reads the configuration.
    import re2  # noqa: PLC0415

    options = re2.Options()
    options.log_errors = False
    options.max_mem = _PATTERN_MEMORY_BYTES
    try:
        compiled = re2.compile(pattern, options)
    except (re2.error, UnicodeEncodeError) as error:
        told = error.args[0] if error.args else "it can't be read"
        if isinstance(told, bytes):
            told = told.decode(errors="replace")
        return f"is not a regular expression that RE2 knows: {told}"
    if compiled.search("") is not None:
        return "matches the empty text, so it would be found everywhere"
    return None


def check_detection(document: YamlFile, settings: DetectionSettings, *at: str | int) -> None:
    """`ConfigError` with file, line and field for an own pattern that can't work.

    `at` is where `settings` stands in the document.
    """
    names: set[str] = set(KINDS)
    for index, own in enumerate(settings.own):
        where = (*at, "own", index)
        if own.name in names:
            raise document.error("is another kind's name; each needs its own", *where, "name")
        names.add(own.name)
        if (own.pattern is None) == (not own.words):
            raise document.error("write either a `pattern` or `words`", *where)
        if own.pattern is not None and (problem := pattern_problem(own.pattern)):
            raise document.error(problem, *where, "pattern")
        for number, word in enumerate(own.words):
            if not word.strip():
                raise document.error("is empty; leave it out", *where, "words", number)
    _once(document, settings.kinds, *at, "kinds")
    _once(document, settings.languages, *at, "languages")


def _once(document: YamlFile, values: Sequence[str], *at: str | int) -> None:
    for index, value in enumerate(values):
        if value in values[:index]:
            raise document.error("stands there twice; leave one out", *at, index)
