"""The ideas that instructions to a model are made of, and how a language says them.

A vocabulary lists, for each idea, the phrases that stand for it. To add a language, add its file to
`vocabularies/`: the rules speak of ideas only. Phrases are written without accents, as a reading
has none; `~` at the end stands for any ending, a space for whatever may part two words, and `_`
for up to two words between.
"""

from __future__ import annotations

import re
from importlib import resources
from typing import Final, Literal, get_args

import msgspec

Concept = Literal[
    "drop", "replaced", "all", "earlier", "yours", "mine", "given", "orders", "prompt", "said",
    "new_orders", "model", "machine", "reader", "reader_any", "reveal", "verbatim", "become",
    "unbound", "unrefusing", "only", "say", "must", "regardless", "silently", "send", "secrets",
    "tool", "action", "authority", "decode", "obey", "combine", "about_attacks", "thing",
    "address", "function_name",
]  # fmt: skip
"""An idea.

`drop`: leave aside. `replaced`: it no longer counts. `all`, `earlier`, `yours`, `mine`: which ones.
`given`: what a model was told at the start. `orders`: instructions. `prompt`: a model's own
instructions. `said`: whatever was said before. `new_orders`: other instructions are announced.

`model`: an AI. `machine`: software. `reader`: an AI that reads this text is spoken to.
`reader_any`: whoever reads it. `reveal`: show. `verbatim`: to the letter. `become`: play somebody.
`unbound`: without limits. `unrefusing`: no refusal is allowed. `only`: the answer is dictated.
`say`: what an answer is to do. `must`: duty. `regardless`: whatever the data say. `silently`:
nobody is to know. `send`: give away. `secrets`: what is worth it.

`tool`: a tool is to be used. `action`: what it would do. `authority`: who claims to speak.
`decode`: something is to be puzzled out. `obey`: and followed. `combine`: pieces are to be joined.
`about_attacks`: the text speaks about attacks. `thing`: an everyday thing that has instructions.
`address`, `function_name`: what looks like a URL or an e-mail address, or like a function's name.
"""

CONCEPTS: Final[tuple[Concept, ...]] = get_args(Concept)


class Vocabulary(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How one language says each idea."""

    phrases: dict[Concept, tuple[str, ...]]
    spaced: bool = True
    """Whether words are parted by spaces."""


def vocabularies() -> tuple[Vocabulary, ...]:
    """Every language's; all are used at once, since attacks mix languages."""
    folder = resources.files("headgate.checks.injection") / "vocabularies"
    files = sorted((file for file in folder.iterdir() if file.name.endswith(".toml")), key=str)
    return tuple(msgspec.toml.decode(file.read_bytes(), type=Vocabulary) for file in files)


_GAP: Final = r"[\s,:;'\"*_\-]{1,4}"
_SKIPPED_WORDS: Final = rf"{_GAP}(?:\w+{_GAP}){{0,2}}"


def pattern(phrase: str, *, spaced: bool = True) -> str:
    """`phrase` as a regular expression."""
    if not spaced and not phrase.isascii():
        return r"\s?".join(re.escape(letter) for letter in phrase if letter != " ")
    open_end = phrase.endswith("~")
    words = phrase.rstrip("~").split(" ")
    written = ""
    for at, word in enumerate(words):
        if word == "_":
            continue
        if at:
            written += _SKIPPED_WORDS if words[at - 1] == "_" else _GAP
        written += re.escape(word).replace("\\~", r"\w*").replace("~", r"\w*")
    if phrase.isupper():
        written = f"(?-i:{written})"
    before = r"\b" if spaced else ""
    return f"{before}{written}{'' if open_end or not spaced else before}"


def squeezed(phrase: str) -> str | None:
    """`phrase` as it stands in a text without spaces; None where it is too short to be told."""
    written = re.sub(r"[^\w]", "", phrase.replace("_", ""))
    return re.escape(written) if len(written) >= 5 else None
