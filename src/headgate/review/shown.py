"""A review as a person sees it before deciding, and what came of it after."""

from __future__ import annotations

from typing import Any

import msgspec

from headgate.review.review import Contents, Event, Review
from headgate.workflows.run import Run
from headgate.workflows.tools.action import Action
from headgate.workflows.tools.tool import Sent


class Shown(msgspec.Struct, frozen=True, kw_only=True):
    """A review with all that a person needs to decide it."""

    review: Review
    contents: Contents
    run: Run | None
    events: tuple[Event, ...]
    action: Action | None = None
    sent_now: Sent | None = None
    """Of an action that waits: what would be sent now, where that is not what is kept as `sent`."""

    @property
    def went_out(self) -> dict[str, Any] | None:
        """What came of the decision.

        The run's output; of an action what was sent, or what a person said of one whose outcome
        nobody knew.
        """
        if self.review.kind != "action":
            return None if self.run is None else self.run.output
        if self.action is None or self.review.decision not in ("approved", "edited"):
            return None
        if self.review.facts.outcome_unknown and self.review.decision == "edited":
            found = self.action.result
            return found if isinstance(found, dict) else None
        return self.action.arguments
