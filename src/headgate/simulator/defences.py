"""Which defences a prompt shows that a real model would heed, and how well.

They are recognised by what they are, not by whose they are: a token that the instructions name and
that stands around the text, a mark that they name and that stands between its words, or base64 that
they speak of; and a sentence in the instructions that says not to follow what stands there. A fence
whose token the text itself holds is no fence.

The shares of attacks that succeed all the same are those of Hines et al., "Defending Against
Indirect Prompt Injection Attacks With Spotlighting" (2024, arXiv:2403.14720), for GPT-3.5-Turbo:
delimiters about halve them; datamarking leaves 3.1 % (summaries) to 8.0 % (questions), encoding 0.0
to 1.8 %. The higher figure of each is taken. It was measured on other attacks and a single model.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Iterator
from typing import Final, Literal

from headgate.simulator.text.islands import decoded_islands

Technique = Literal["fence", "datamark", "encode"]
"""How text was made to stand out."""

RESIDUAL: Final[dict[Technique, float]] = {"fence": 0.5, "datamark": 0.08, "encode": 0.018}
"""Of the attacks that would succeed, the share that still does."""

_NOT_TO_FOLLOW = re.compile(
    r"\b(?:never|not|don't|without)\b[^.]{0,80}\b(?:follow|obey|act on|execute|instruct\w*)\b",
    re.IGNORECASE,
)
_TOKEN = re.compile(r"(?=[A-Za-z0-9]*\d)(?=[A-Za-z0-9]*[A-Za-z])[A-Za-z0-9]{12,}")
_NAMED_MARK = re.compile(r"[\"']([^\w\s\"'”.,:;!?()\[\]<>{}/-])[\"'”]")
_SIGN = re.compile(r"[^\w\s\"'.,:;!?()\[\]<>{}/|=+#*-]")
_MARKED_SHARE: Final = 0.6
_WINDOW: Final = 8
_STEP: Final = 3
_ENOUGH: Final = 0.75


def squeezed(text: str) -> str:
    """`text` without spaces and capitals: how words are set is no matter to a model."""
    return "".join(text.split()).casefold()


def carries(text: str, payload: str) -> bool:
    """Whether most of `payload` can be read in `text`; both squeezed."""
    if len(payload) <= 2 * _WINDOW:
        return payload in text
    starts = range(0, len(payload) - _WINDOW + 1, _STEP)
    missing = (1 - _ENOUGH) * len(starts)
    for start in starts:
        missing -= payload[start : start + _WINDOW] not in text
        if missing < 0:
            return False
    return True


def ways_to_read(text: str, instructions: str) -> Iterator[tuple[str, frozenset[Technique]]]:
    """Each way to read `text`, squeezed, with the defences that it shows when read so."""
    heeded = _NOT_TO_FOLLOW.search(instructions) is not None
    for inside, fenced in _fenced(text, instructions):
        around: set[Technique] = {"fence"} if fenced else set()
        yield squeezed(inside), frozenset(around) if heeded else frozenset()
        mark = _mark(inside)
        if mark is not None:
            # A model reads through marks that nobody told it of, too.
            named = mark in _NAMED_MARK.findall(instructions)
            marked: frozenset[Technique] = frozenset(around | {"datamark"} if named else around)
            yield squeezed(inside.replace(mark, " ")), marked if heeded else frozenset()
        if "base64" in instructions.lower():
            encoded: frozenset[Technique] = frozenset(around | {"encode"})
            for said in decoded_islands(inside):
                yield squeezed(said), encoded if heeded else frozenset()


def obeys(identifier: str, defences: frozenset[Technique], seed: int) -> bool:
    """Whether the model follows an attack that stands behind `defences`; the same in each run."""
    if not defences:
        return True
    best = min(defences, key=lambda technique: RESIDUAL[technique])
    digest = hashlib.blake2b(f"{seed}:{best}:{identifier}".encode(), digest_size=8).digest()
    return int.from_bytes(digest) / 2**64 < RESIDUAL[best]


def _fenced(text: str, instructions: str) -> Iterator[tuple[str, bool]]:
    """`text` in pieces, each with whether a fence that the instructions name stands around it."""
    tokens = [
        token for token in dict.fromkeys(_TOKEN.findall(instructions)) if text.count(token) >= 2
    ]
    if not tokens:
        yield text, False
        return
    pieces = text.split(tokens[0])
    if len(pieces) % 2 == 0 or len(pieces) > 2 * (1 + _MAX_FENCES):
        # An odd number of delimiters: somebody forged one.
        yield text, False
        return
    outside = "".join(pieces[::2])
    yield outside, False
    for inside in pieces[1::2]:
        yield inside, True


_MAX_FENCES: Final = 64


def _mark(text: str) -> str | None:
    """The sign that stands between nearly all words of `text`, if there is one."""
    counts = Counter(_SIGN.findall(text))
    if not counts:
        return None
    mark, count = counts.most_common(1)[0]
    words = len(text.replace(mark, " ").split())
    return mark if count >= _MARKED_SHARE * max(words - 1, 1) else None
