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
    rotated: tuple[str, ...] = ()
    """Ids of the keys that it was rotated from or to, which are the same holder's."""

    @property
    def key_ids(self) -> tuple[str, ...]:
        """All ids that the key has had and has by now, the oldest first: they begin with a time."""
        return tuple(sorted((self.key_id, *self.rotated)))

    def holds(self, key_id: str) -> bool:
        """Whether the key of that id is this one, before or after it was rotated."""
        return key_id == self.key_id or key_id in self.rotated

    def may_use_model(self, model: str) -> bool:
        """Whether the key may ask for `model`, a route's or a model's name."""
        return not self.models or any(fnmatchcase(model, pattern) for pattern in self.models)

    def may_run(self, workflow: str) -> bool:
        """Whether the key may run `workflow`."""
        return not self.workflows or any(fnmatchcase(workflow, p) for p in self.workflows)
