"""An action: something that a run wants done out there, and how far it has come.

    requested ─▶ approved ─▶ started ─▶ done
        │                       ├─────▶ failed      it certainly was not done
        └─▶ refused             └─────▶ unknown ─▶ approved, done or failed: a person says

Each arrow is one row's UPDATE that names the state before, so two who try are one who does.
What is requested or approved when its run ends has failed, with the code `run_ended`: nothing is
sent for a run that is over.
"""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from headgate.config.tools import Effect

ActionState = Literal["requested", "approved", "started", "done", "failed", "unknown", "refused"]
"""`requested`: a person must approve. `approved`: it may be sent. `started`: it is, or was, on its
way. `done`, `failed`: its outcome is known. `unknown`: nobody knows whether it was done. `refused`:
a person said no."""

ENDED: tuple[ActionState, ...] = ("done", "failed", "refused")


class Action(msgspec.Struct, frozen=True, kw_only=True):
    """One call of a tool that changes something, or that a person must approve."""

    id: str
    run_id: str
    number: int
    """Of the tool calls of its run, from 1."""
    project: str
    workflow: str
    tool: str
    effect: Effect
    state: ActionState
    idempotent: bool
    requested_at_us: int
    review_id: str | None = None
    decided_by: str | None = None
    decided_at_us: int | None = None
    sent_sha256: str | None = None
    """Of what the person saw who approved it; None: nobody had to."""
    executor: str | None = None
    """The process that sends it, or did."""
    attempts: int = 0
    """How often a process has taken it in hand; each such time has a number, which is how one that
    was taken for dead is told from the one that came after it."""
    started_at_us: int | None = None
    ended_at_us: int | None = None
    code: str | None = None
    """What went wrong."""
    arguments: dict[str, Any] | None = None
    """What is sent; None where contents were not asked for, or are erased."""
    asked: dict[str, Any] | None = None
    """What the model had asked for, where a person changed it."""
    result: Any = None

    @property
    def key(self) -> str:
        """The idempotency key that goes along."""
        return self.id
