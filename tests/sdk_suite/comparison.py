"""Which tests pass straight and fail through Headgate, by resource, and why?"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from typing import NamedTuple

from waived import WAIVED, Waived

TESTS = "tests/api_resources"

_REASONS_SHOWN = 6
_REASON_CHARACTERS = 240


class Outcome(NamedTuple):
    """What came of one test."""

    outcome: str
    """`passed`, `failed` or `skipped`, as pytest says it."""
    why: str


class Failing(NamedTuple):
    """A test that passes straight and not through Headgate."""

    test: str
    why: str

    @property
    def resource(self) -> str:
        """Such as `chat/completions`, of `tests/api_resources/chat/test_completions.py::…`."""
        path = self.test.partition("::")[0].removeprefix(TESTS + "/").removesuffix(".py")
        return path.replace("test_", "")


class Comparison(NamedTuple):
    """What the two runs say together."""

    passed_straight: int
    must_pass: tuple[Failing, ...]
    waived: Mapping[Waived, int]
    """How many tests failed that each of them lets fail."""

    def told(self) -> str:
        """The report, by resource."""
        lines: list[str] = []
        for waived, count in self.waived.items():
            lines += ["", f"{waived.pattern}: {count} fail and need not pass: {waived.reason}"]
        for resource in sorted({failing.resource for failing in self.must_pass}):
            failing = [one for one in self.must_pass if one.resource == resource]
            lines += ["", f"{resource}: {len(failing)} pass straight and fail through Headgate"]
            reasons = Counter(_first_line(one.why) for one in failing)
            lines += [f"  {n} times: {why}" for why, n in reasons.most_common(_REASONS_SHOWN)]
            lines += [f"    {one.test.removeprefix(TESTS + '/')}" for one in failing]
        count = f"{self.passed_straight} pass straight; {len(self.must_pass)} of them"
        lines += ["", f"{count} must pass through Headgate and don't."]
        return "\n".join(lines)


def compare(straight: Mapping[str, Outcome], through: Mapping[str, Outcome]) -> Comparison:
    """Compare a run straight against the mock server with one through Headgate.

    A test that passed straight and was not run at all through Headgate has failed.
    """
    must_pass: list[Failing] = []
    waived: Counter[Waived] = Counter()
    passed = [test for test, outcome in straight.items() if outcome.outcome == "passed"]
    for test in passed:
        outcome = through.get(test, Outcome("missing", "it was not run"))
        if outcome.outcome == "passed":
            continue
        allowed = next((one for one in WAIVED if one.covers(test)), None)
        if allowed is None:
            must_pass.append(Failing(test, outcome.why))
        else:
            waived[allowed] += 1
    return Comparison(len(passed), tuple(must_pass), waived)


def counted(outcomes: Mapping[str, Outcome]) -> str:
    """How many of each outcome there are."""
    counts = Counter(outcome.outcome for outcome in outcomes.values())
    return ", ".join(f"{count} {name}" for name, count in sorted(counts.items()))


def _first_line(why: str) -> str:
    """The first line of a failure, without what differs from one call to the next."""
    line = why.strip().partition("\n")[0]
    return re.sub(r"\b(req|call)_\w+", r"\1_…", line)[:_REASON_CHARACTERS] or "(no reason given)"
