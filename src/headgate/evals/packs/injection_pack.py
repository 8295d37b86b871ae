"""Which attacks and look-alikes the pack holds, and on which a detector may be tuned.

The files are JSONL, described in `injection/README.md`; a project can have files of its own.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Final, Literal, TypeVar

import msgspec

from headgate.evals.packs.outcome import Goal

FOLDER: Final = Path(__file__).parent / "injection"
ATTACKS: Final = FOLDER / "attacks.jsonl"
LOOKALIKES: Final = FOLDER / "lookalikes.jsonl"

Place = Literal["user", "retrieved", "tool"]
"""Where the text comes from: who writes to the assistant, a passage found, a tool's result."""

Half = Literal["development", "held_out"]
"""`development`: a detector may be tuned on it. `held_out`: it is only measured on it."""


class PackError(ValueError):
    """A pack's file can't be used; the message names file and line."""


class Attack(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A text that carries an instruction to the model that reads it."""

    id: str
    family: str
    language: str
    place: Place
    text: str
    payload: str
    """The part of `text` that is the instruction, as it stands there."""
    plain: str | None = None
    """What an encoded payload says."""
    goal: Goal

    @property
    def direct(self) -> bool:
        """Whether the attacker is who writes to the assistant."""
        return self.place == "user"


class Lookalike(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A harmless text with words that attacks have too."""

    id: str
    kind: str
    language: str
    text: str


_Case = TypeVar("_Case", Attack, Lookalike)


def attacks(path: Path = ATTACKS) -> tuple[Attack, ...]:
    """The attacks in `path`; `PackError` where it can't be used."""
    found = _read(path, Attack)
    for attack in found:
        if attack.payload not in attack.text:
            raise PackError(f"{path}: {attack.id}: payload: does not stand in the text")
    return found


def lookalikes(path: Path = LOOKALIKES) -> tuple[Lookalike, ...]:
    """The look-alikes in `path`; `PackError` where it can't be used."""
    return _read(path, Lookalike)


def half_of(identifier: str) -> Half:
    """Which half a case belongs to: a matter of its id alone, so that nobody chooses."""
    return "development" if hashlib.sha256(identifier.encode()).digest()[0] % 2 == 0 else "held_out"


def _read(path: Path, kind: type[_Case]) -> tuple[_Case, ...]:
    decoder = msgspec.json.Decoder(kind)
    try:
        lines = path.read_text("utf-8").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise PackError(f"{path}: cannot be read: {error}") from None
    found: dict[str, _Case] = {}
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            case = decoder.decode(line)
        except msgspec.DecodeError as error:
            raise PackError(f"{path}:{number}: {error}") from None
        if case.id in found:
            raise PackError(f"{path}:{number}: id: {case.id} is there twice")
        found[case.id] = case
    return tuple(found.values())
