"""One run on its way, with all that goes along with it through the files of this room."""

from __future__ import annotations

import msgspec

from headgate.workflows.folder import Workflow
from headgate.workflows.journal import Journal
from headgate.workflows.run import Order, Run
from headgate.workflows.steps import Trail
from headgate.workflows.tools.talk import Talk


class Errand(msgspec.Struct, frozen=True):
    """A run on its way: `talk` and `trail` are filled while it goes on."""

    workflow: Workflow
    order: Order
    run: Run
    talk: Talk
    trail: Trail
    journal: Journal

    def of(self, run: Run) -> Errand:
        """The same for the run as it is known by now."""
        return msgspec.structs.replace(self, run=run)
