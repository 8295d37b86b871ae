"""Whose things a key may see: its own project's, or every project's."""

from __future__ import annotations

from headgate.errors import PermissionDeniedError
from headgate.gateway.caller import Caller, Role
from headgate.intake.access.roles import RIGHTS


def reaches(role: Role, own_project: str, project: str) -> bool:
    """Whether a key of `role` in `own_project` may see what belongs to `project`."""
    return RIGHTS[role].reach == "all" or own_project == project


def visible_project(caller: Caller, asked: str | None) -> str | None:
    """The one project that an answer to `caller` may be about, or None where it may be about all.

    `asked` is the project that was asked for, None for whatever the caller may see. Raises
    `PermissionDeniedError` where that is another's.
    """
    if RIGHTS[caller.role].reach == "all":
        return asked
    if asked is not None and asked != caller.project:
        raise PermissionDeniedError(
            f"Your key reaches only project `{caller.project}`; leave `project` out.",
            param="project",
        )
    return caller.project
