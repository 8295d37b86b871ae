"""Who makes a call, as the gateway needs to know it; `intake` finds out and hands it in."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import Literal

import msgspec

Role = Literal["admin", "operator", "developer", "reviewer", "auditor", "app"]
"""What a key may do; `intake.access.roles` says what each is allowed."""


class Caller(msgspec.Struct, frozen=True):
    """A key that was shown and found valid."""

    key_id: str
    project: str
    role: Role
    models: tuple[str, ...] = ()
    """Patterns of the models and routes it may ask for; empty allows all."""
    workflows: tuple[str, ...] = ()
    """Patterns of the workflows it may run; empty allows all."""

    def may_use_model(self, model: str) -> bool:
        """Whether the key may ask for `model`, a route's or a model's name."""
        return not self.models or any(fnmatchcase(model, pattern) for pattern in self.models)

    def may_run(self, workflow: str) -> bool:
        """Whether the key may run `workflow`."""
        return not self.workflows or any(fnmatchcase(workflow, p) for p in self.workflows)
