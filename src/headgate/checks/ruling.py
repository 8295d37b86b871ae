"""What rules say of an output: it is wrong, it is right, or it is for a person to say."""

from __future__ import annotations

import msgspec

from headgate.checks.problem import Problem


class Hold(msgspec.Struct, frozen=True, kw_only=True):
    """An output that breaks no rule, but that a person must see before it goes anywhere."""

    reasons: tuple[str, ...]
    """Why, in the words of the workflow's owner; they may quote contents."""


def hold(reason: str) -> Hold:
    """What `check` in a rules.py returns, or puts among its problems, to have a person look."""
    return Hold(reasons=(reason,))


class Ruling(msgspec.Struct, frozen=True, kw_only=True):
    """What some rules say of one output; nothing, where it passes."""

    problems: tuple[Problem, ...] = ()
    """Why it is rejected."""
    holds: tuple[Problem, ...] = ()
    """Why a person must see it; of no account while there are problems."""

    def joined(self, other: Ruling) -> Ruling:
        """What both say."""
        return Ruling(problems=(*self.problems, *other.problems), holds=(*self.holds, *other.holds))

    @property
    def hold(self) -> Hold | None:
        """Why it must wait for a person, where nothing rejects it."""
        if self.problems or not self.holds:
            return None
        return Hold(reasons=tuple(map(str, self.holds)))


PASSED = Ruling()
