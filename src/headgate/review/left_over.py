"""Asks people about what runs left behind: actions that nobody knows the outcome of any more.

A run may end while something is on its way for it: it is cancelled, its workflow is taken away, or
its process dies then. It can't go on, but whether the thing was done must still be said.
"""

from __future__ import annotations

import msgspec

from headgate.review.actions import about
from headgate.review.repository import ReviewRepository
from headgate.review.review import Contents
from headgate.workflows.repository import RunRepository
from headgate.workflows.tools.action_store import left_over, note_review

_AT_ONCE = 50
"""Actions that one look takes in; the next looks for more."""

_WHY = "The run is over, and nobody knows whether this was done; nothing is sent any more."


class LeftOver:
    """Looks for them; what it does is done once, however many processes look. It blocks."""

    def __init__(self, repository: ReviewRepository, runs: RunRepository) -> None:
        self._repository = repository
        self._runs = runs

    def look(self, now_us: int) -> int:
        """Open a review for each that has none; return how many were found."""
        database = self._repository.database
        with database.connect() as connection:
            if not left_over(connection, 1):
                return 0
        with database.begin() as connection:
            found = left_over(connection, _AT_ONCE, now_us)
            for action in found:
                run = self._runs.get(action.run_id, contents=False)
                if run is None:
                    continue
                review = about(action, run, now_us)
                contents = Contents(draft=action.arguments, explained=(_WHY,))
                review = msgspec.structs.replace(review, has_draft=action.arguments is not None)
                earlier = self._repository.open(connection, review, contents)
                note_review(connection, action.id, earlier or review.id)
        return len(found)
