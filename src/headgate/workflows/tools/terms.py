"""On what terms a tool is used: of its source's and the workflow's, the stricter of each.

Pure. What nobody wrote is what does the least harm.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import msgspec

from headgate.checks.field_rule import why_it_fits
from headgate.config.tools import (
    Approval,
    CallerSettings,
    Effect,
    ToolSettings,
    ToolTerms,
    ToolTrust,
)

T = TypeVar("T")

_TIMEOUT_S = 10.0
_PER_RUN = 10


class Terms(msgspec.Struct, frozen=True, kw_only=True):
    """The terms that hold, with nothing left open."""

    effect: Effect
    approvals: tuple[Approval, ...]
    """A person approves what one of them says; empty: nobody need."""
    idempotent: bool
    callers: tuple[CallerSettings, ...] = ()
    """Who fits all of them."""
    needs: ToolTrust
    gives: ToolTrust
    timeout_s: float
    per_run: int
    per_hour: int | None = None
    per_day: int | None = None
    reviewers: str | None = None
    four_eyes: bool = False

    @property
    def is_action(self) -> bool:
        """Whether each call is kept as an action: it changes something, or a person approves."""
        return self.effect == "write" or bool(self.approvals)

    def why_approval(self, arguments: dict[str, object]) -> str | None:
        """Why a person must approve a call with these arguments; None: it goes out by itself."""
        for approval in self.approvals:
            if not isinstance(approval, str):
                for rule in approval.when:
                    if (why := why_it_fits(rule, arguments)) is not None:
                        return why
            elif approval == "always":
                return "a person approves each call of this tool"
        return None


def joined(source: ToolTerms | None, own: ToolSettings) -> Terms:
    """What holds for a tool of `source` (None: of tools.py) that a workflow takes as `own`."""
    written: list[ToolTerms] = [own] if source is None else [source, own]
    effect: Effect = (
        "read" if {one.effect for one in written if one.effect} == {"read"} else "write"
    )
    approvals = [one.approval for one in written if one.approval is not None]
    if not approvals and effect == "write":
        approvals = ["always"]
    callers = (one.callers for one in written)
    return Terms(
        effect=effect,
        approvals=tuple(one for one in approvals if one != "never"),
        # Only who made the tool knows: a workflow can take the word back, not give it.
        idempotent=written[0].idempotent is True and own.idempotent is not False,
        callers=tuple(one for one in callers if one is not None),
        needs="trusted" if any(one.needs == "trusted" for one in written) else "untrusted",
        gives="trusted"
        if {one.gives for one in written if one.gives} == {"trusted"}
        else "untrusted",
        timeout_s=_least(written, lambda one: one.timeout_s) or _TIMEOUT_S,
        per_run=_least(written, lambda one: one.per_run) or _PER_RUN,
        per_hour=_least(written, lambda one: one.per_hour),
        per_day=_least(written, lambda one: one.per_day),
        # The last word: a workflow's owner knows who should look.
        reviewers=own.reviewers or (None if source is None else source.reviewers),
        four_eyes=any(one.four_eyes for one in written),
    )


def terms_problem(source: ToolTerms | None, own: ToolSettings) -> str | None:
    """What is left open that must be said; None: nothing."""
    written = (own,) if source is None else (source, own)
    if own.effect == "read" and source is not None and source.effect in (None, "write"):
        return "its source does not say that it only reads; say `effect: read` there"
    if own.approval == "never" and source is not None and source.approval not in (None, "never"):
        return "its source has calls approved by a person; leave `approval` out, or be stricter"
    terms = joined(source, own)
    if terms.effect == "write" and not terms.approvals and not any(one.needs for one in written):
        return (
            "it writes, and nobody approves: write `needs: trusted`, or `needs: untrusted` if texts"
            " from outside may lead to it"
        )
    return None


def _least(written: list[ToolTerms], of: Callable[[ToolTerms], T | None]) -> T | None:
    values = [value for one in written if (value := of(one)) is not None]
    return min(values, default=None)  # type: ignore[type-var]
