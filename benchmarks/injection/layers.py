"""What becomes of a text on its way to the model and back, with some of the defences on."""

from __future__ import annotations

import functools
from typing import Final, Literal

import msgspec

from benchmarks.injection.scene import INSTRUCTIONS, QUESTION, TOOLS, offered
from headgate.checks.injection.canary import leaked, new_canary, planted
from headgate.checks.injection.detector import examine
from headgate.checks.injection.links import AllowedLinks, limited
from headgate.checks.injection.rights import Trust, rights
from headgate.checks.injection.spotlight import (
    Spotlit,
    datamark,
    encode,
    fence,
    new_marker,
    new_token,
)
from headgate.checks.injection.verdict import DEFAULT_THRESHOLD, stripped
from headgate.config.guards import JudgeSettings
from headgate.evals.packs import Outcome
from headgate.simulator.answer import Answer
from headgate.simulator.conversation import Task, Turn
from headgate.simulator.gullible import RESISTED, Gullible
from headgate.simulator.judge import steering_score

Layer = Literal[
    "detect", "judge", "strip", "fence", "datamark", "encode", "canary", "links", "rights"
]
"""A defence. `detect` refuses the call; `strip` takes out what it found and goes on; `judge` has
the simulator judge what `detect` is in doubt of."""

JUDGE: Final = JudgeSettings(model="simulated")
"""As it is by default."""

Ended = Literal["answered", "refused", "cut"]
"""`refused`: before the model was asked. `cut`: the answer was held back."""

ALLOWED: Final = AllowedLinks(hosts=("northwind.example", "*.northwind.example"))


_examined = functools.lru_cache(maxsize=2_000)(examine)


class Passage(msgspec.Struct, frozen=True):
    """What came out, and what was done on the way."""

    outcome: Outcome
    ended: Ended = "answered"
    altered: bool = False
    """Whether anything was taken out of the text."""


def passage(text: str, place: Trust, layers: frozenset[Layer], model: Gullible | None) -> Passage:
    """Take `text` to `model` (None: one that isn't gullible) and its answer back."""
    verdict = _examined(text) if layers & {"detect", "strip"} else None
    if verdict and "detect" in layers and verdict.score >= DEFAULT_THRESHOLD:
        return Passage(Outcome(instructions=INSTRUCTIONS), "refused")
    if verdict and "judge" in layers and in_doubt(verdict.score) and convicted(text):
        return Passage(Outcome(instructions=INSTRUCTIONS), "refused")
    shown = text
    if verdict and "strip" in layers and verdict.score >= DEFAULT_THRESHOLD:
        shown = stripped(text, verdict)
    altered = shown != text
    instructions = INSTRUCTIONS
    canary = new_canary()
    if "canary" in layers:
        instructions = planted(instructions, canary)
    shown, rules = _spotlit(shown, layers)
    names = tuple(tool.name for tool, _ in TOOLS)
    if "rights" in layers:
        names = rights((tool for tool, _ in TOOLS), {"operator", place}).offered
    task = _task("\n".join((instructions, *rules)), shown, place, names)
    # A model that isn't tempted says nothing of what it read: only obedience is measured here.
    answer = (None if model is None else model.answer(task)) or Answer(text=RESISTED)
    return _out(answer, layers, canary, altered=altered)


def in_doubt(score: int) -> bool:
    """Whether the judge is asked about a text with this score."""
    return JUDGE.from_score <= score < DEFAULT_THRESHOLD


@functools.lru_cache(maxsize=2_000)
def convicted(text: str) -> bool:
    """Whether the simulator, as judge, takes `text` for an attack."""
    return steering_score(text) >= JUDGE.threshold


def _spotlit(text: str, layers: frozenset[Layer]) -> tuple[str, list[str]]:
    rules: list[str] = []

    def taken(spotlit: Spotlit) -> str:
        rules.append(spotlit.instruction)
        return spotlit.text

    if "encode" in layers:
        text = taken(encode(text))
    elif "datamark" in layers:
        text = taken(datamark(text, new_marker(text)))
    if "fence" in layers:
        text = taken(fence(text, new_token()))
    return text, rules


def _task(instructions: str, shown: str, place: Trust, names: tuple[str, ...]) -> Task:
    turns = [Turn(role="system", text=instructions)]
    if place != "untrusted":
        turns.append(Turn(role="user", text=QUESTION))
    turns.append(Turn(role="tool" if place == "tool" else "user", text=shown))
    return Task(model="gullible", turns=tuple(turns), tools=offered(names))


def _out(answer: Answer, layers: frozenset[Layer], canary: str, *, altered: bool) -> Passage:
    text = answer.text
    if "canary" in layers and leaked(text, [canary]) is not None:
        return Passage(Outcome(instructions=INSTRUCTIONS), "cut")
    if "links" in layers:
        text, _ = limited(text, ALLOWED)
    called = tuple(call.name for call in answer.tool_calls)
    return Passage(Outcome(text=text, called=called, instructions=INSTRUCTIONS), altered=altered)
