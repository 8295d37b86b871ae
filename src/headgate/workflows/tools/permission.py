"""Whether a run may use a tool: decided from what the operator wrote, never by a prompt's text.

Pure. What may not be used is not shown to the model, and refused if it is asked for all the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from headgate.config.tools import CallerSettings
from headgate.gateway.caller import Caller
from headgate.workflows.tools.terms import Terms

Refusal = Literal["caller", "untrusted", "used_up"]
"""`caller`: not for this key. `untrusted`: a text stands before the model that nobody vouches for.
`used_up`: the run has had its calls."""

REFUSALS: Mapping[Refusal, str] = {
    "caller": "This run may not use it.",
    "untrusted": "It can't be used any more: a text from outside has come into this conversation.",
    "used_up": "This run has used it as often as it may.",
}
"""What whoever asked for the tool is told."""


def refusal(terms: Terms, caller: Caller, *, untrusted: bool, used: int) -> Refusal | None:
    """Why a run may not use a tool now; None: it may.

    `untrusted`: whether the model has seen a text that the operator doesn't vouch for. `used`: how
    often the run has called it.
    """
    if not all(_fits(callers, caller) for callers in terms.callers):
        return "caller"
    if untrusted and terms.needs == "trusted":
        return "untrusted"
    return "used_up" if used >= terms.per_run else None


def _fits(callers: CallerSettings, caller: Caller) -> bool:
    for wanted, has in (
        (callers.roles, caller.role),
        (callers.projects, caller.project),
        (callers.keys, caller.key_id),
    ):
        if wanted and has not in wanted:
            return False
    return True
