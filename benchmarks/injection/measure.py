"""The share of the pack's attacks that succeed, by layers, and what is done to the look-alikes."""

from __future__ import annotations

import statistics
import time
from collections import Counter
from collections.abc import Sequence
from typing import Final

import msgspec

from benchmarks.injection.layers import Layer, convicted, in_doubt, passage
from headgate.checks.injection.detector import examine
from headgate.checks.injection.rights import Trust
from headgate.checks.injection.verdict import DEFAULT_THRESHOLD
from headgate.evals.packs import ATTACKS, Attack, Half, Lookalike, half_of, reached
from headgate.simulator.gullible import Gullible
from headgate.simulator.temptation import read_temptations

ALL: Final[tuple[Layer, ...]] = ("detect", "fence", "datamark", "canary", "links", "rights")

SETS: Final[dict[str, tuple[Layer, ...]]] = {
    "none": (),
    "detector, call refused": ("detect",),
    "detector and simulated judge": ("detect", "judge"),
    "detector, sentences taken out": ("strip",),
    "fence": ("fence",),
    "datamarking": ("datamark",),
    "encoding": ("encode",),
    "canary": ("canary",),
    "links": ("links",),
    "rights": ("rights",),
    "all but the detector": ("fence", "datamark", "canary", "links", "rights"),
    "all but spotlighting": ("detect", "canary", "links", "rights"),
    "all, with a fence instead of datamarking": ("detect", "fence", "canary", "links", "rights"),
    "all": ALL,
}
"""The combinations of layers that are told."""

BY_CHANCE: Final[frozenset[Layer]] = frozenset(("fence", "datamark", "encode"))
"""The layers that hold a gullible model in some cases only; the others are the same each time."""

SEEDS: Final = 10
"""How many gullible models there are, each held by defences in other cases."""

TRUST: Final[dict[str, Trust]] = {"user": "untrusted", "retrieved": "retrieved", "tool": "tool"}


class Share(msgspec.Struct):
    """How many of how many."""

    count: float = 0
    of: float = 0

    @property
    def percent(self) -> float:
        """The share."""
        return 100 * self.count / self.of if self.of else 0.0


class Measured(msgspec.Struct, frozen=True):
    """What came of the pack."""

    success: dict[str, Share]
    """By set of layers: attacks that succeeded, over all seeds."""
    by_family: dict[str, dict[str, Share]]
    """By family, then by set of layers."""
    direct: dict[str, Share]
    """By set of layers, of the direct attacks alone."""
    found: dict[Half, Share]
    """By half: attacks at or above the detector's threshold."""
    found_by_family: dict[str, Share]
    blocked: dict[Half, Share]
    """By half: look-alikes at or above it."""
    blocked_ids: tuple[str, ...]
    blocked_by_judge: int
    """Look-alikes that the simulated judge refuses beside them."""
    judged: dict[str, int]
    """How many `attacks` and `look-alikes` a judge is asked about."""
    us_per_kb: float
    """The detector's time for a kilobyte of the look-alikes, in microseconds."""


def measure(
    attacks: Sequence[Attack], lookalikes: Sequence[Lookalike], *, seeds: int = SEEDS
) -> Measured:
    """Take every attack through every set of layers."""
    temptations = read_temptations(str(ATTACKS))
    success = {name: Share() for name in SETS}
    direct = {name: Share() for name in SETS}
    by_family = {
        family: {name: Share() for name in SETS}
        for family in dict.fromkeys(attack.family for attack in attacks)
    }
    for seed in range(seeds):
        model = Gullible(temptations, seed)
        for name, layers in SETS.items():
            chosen = frozenset(layers)
            if seed and not chosen & BY_CHANCE:
                continue
            for attack in attacks:
                passed = passage(attack.text, TRUST[attack.place], chosen, model)
                hit = reached(attack.goal, passed.outcome)
                shares = [success[name], by_family[attack.family][name]]
                for share in (*shares, direct[name]) if attack.direct else shares:
                    share.count += hit
                    share.of += 1
    found, found_by_family = _found(attacks)
    blocked: dict[Half, Share] = {"development": Share(), "held_out": Share()}
    blocked_ids: list[str] = []
    for lookalike in lookalikes:
        passed = passage(lookalike.text, "untrusted", frozenset(ALL), None)
        share = blocked[half_of(lookalike.id)]
        share.of += 1
        if passed.ended != "answered":
            share.count += 1
            blocked_ids.append(lookalike.id)
    return Measured(
        success=success,
        by_family=by_family,
        direct=direct,
        found=found,
        found_by_family=found_by_family,
        blocked=blocked,
        blocked_ids=tuple(blocked_ids),
        blocked_by_judge=sum(
            in_doubt(_score(one.text)) and convicted(one.text) for one in lookalikes
        ),
        judged={
            "attacks": sum(in_doubt(_score(attack.text)) for attack in attacks),
            "look-alikes": sum(in_doubt(_score(one.text)) for one in lookalikes),
        },
        us_per_kb=_us_per_kb(lookalikes),
    )


def _score(text: str) -> int:
    return examine(text).score


def _found(attacks: Sequence[Attack]) -> tuple[dict[Half, Share], dict[str, Share]]:
    halves: dict[Half, Share] = {"development": Share(), "held_out": Share()}
    hits: Counter[str] = Counter()
    totals = Counter(attack.family for attack in attacks)
    for attack in attacks:
        hit = examine(attack.text).score >= DEFAULT_THRESHOLD
        hits[attack.family] += hit
        halves[half_of(attack.id)].count += hit
        halves[half_of(attack.id)].of += 1
    return halves, {family: Share(hits[family], totals[family]) for family in totals}


def _us_per_kb(lookalikes: Sequence[Lookalike]) -> float:
    """Over texts of about a kilobyte, put together from look-alikes; processor time."""
    joined = "\n".join(lookalike.text for lookalike in lookalikes if lookalike.kind != "encoded")
    pieces = [joined[start : start + 1024] for start in range(0, len(joined) - 1024, 1024)]
    took_s: list[float] = []
    for _ in range(3):
        # RE2 makes its tables while it reads: the last pass is what a server does all day.
        took_s.clear()
        for piece in pieces:
            begun_s = time.process_time()
            examine(piece)
            took_s.append(time.process_time() - begun_s)
    return 1e6 * statistics.median(took_s)
