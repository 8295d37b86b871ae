"""What each role may do, how far it reaches, and which keys it may hand out: one table, as data."""

from __future__ import annotations

from typing import Literal, get_args

import msgspec

from headgate.errors import PermissionDeniedError
from headgate.gateway.caller import Role

Permission = Literal[
    "models.call",
    "workflows.read",
    "workflows.run",
    "runs.read",
    "runs.read_contents",
    "runs.cancel",
    "reviews.read",
    "reviews.decide",
    "usage.read",
    "cache.clear",
    "keys.read",
    "keys.manage",
    "projects.read",
    "projects.manage",
    "metrics.read",
    "config.read",
]
"""One thing a key can be allowed; every endpoint asks for one, or for none."""

Reach = Literal["key", "project", "all"]
"""`key`: what this key itself made. `project`: its own project. `all`: every project."""

PERMISSIONS: tuple[Permission, ...] = get_args(Permission)
ROLES: tuple[Role, ...] = get_args(Role)

MEANINGS: dict[Permission, str] = {
    "models.call": "call models through `/v1`",
    "workflows.read": "see workflows and their schemas",
    "workflows.run": "run workflows",
    "runs.read": "see runs: status, steps, cost",
    "runs.read_contents": "see what went into a run and what came out",
    "runs.cancel": "cancel asynchronous runs that have not ended",
    "reviews.read": "see what waits for people, and what they decided",
    "reviews.decide": "decide reviews, those that are for it",
    "usage.read": "see usage and cost",
    "cache.clear": "clear the cache of answers",
    "keys.read": "list keys (never the secret itself)",
    "keys.manage": "create, rotate and revoke keys",
    "projects.read": "list projects",
    "projects.manage": "create and archive projects",
    "metrics.read": "read `/metrics` from anywhere",
    "config.read": "see the effective configuration",
}


class Rights(msgspec.Struct, frozen=True, kw_only=True):
    """What one role is allowed."""

    meant_for: str
    permissions: frozenset[Permission]
    reach: Reach
    creates: frozenset[Role] = frozenset()
    """Roles of the keys it may create and rotate: never one with more rights than its own."""
    revokes: frozenset[Role] = frozenset()
    """Roles of the keys it may revoke; wider than `creates`, since revoking gives nobody rights."""


RIGHTS: dict[Role, Rights] = {
    "admin": Rights(
        meant_for="who owns the installation",
        permissions=frozenset(PERMISSIONS),
        reach="all",
        creates=frozenset(ROLES),
        revokes=frozenset(ROLES),
    ),
    "operator": Rights(
        meant_for="who keeps the server running, and has no business in its contents",
        permissions=frozenset(
            {
                "workflows.read",
                "runs.read",
                "runs.cancel",
                "reviews.read",
                "reviews.decide",
                "usage.read",
                "cache.clear",
                "keys.read",
                "keys.manage",
                "projects.read",
                "projects.manage",
                "metrics.read",
                "config.read",
            }
        ),
        reach="all",
        # An operator who could make a developer's key could read contents with it.
        creates=frozenset({"auditor"}),
        revokes=frozenset({"developer", "reviewer", "auditor", "app"}),
    ),
    "developer": Rights(
        meant_for="who builds on a project",
        permissions=frozenset(
            {
                "models.call",
                "workflows.read",
                "workflows.run",
                "runs.read",
                "runs.read_contents",
                "runs.cancel",
                "reviews.read",
                "reviews.decide",
                "usage.read",
                "cache.clear",
                "keys.read",
                "keys.manage",
                "projects.read",
            }
        ),
        reach="project",
        creates=frozenset({"app"}),
        revokes=frozenset({"app"}),
    ),
    "reviewer": Rights(
        meant_for="who looks at what a project's workflows did, and decides what goes out",
        permissions=frozenset(
            {
                "workflows.read",
                "runs.read",
                "runs.read_contents",
                "reviews.read",
                "reviews.decide",
            }
        ),
        reach="project",
    ),
    "auditor": Rights(
        meant_for="who proves what happened; changes nothing, calls nothing, sees no contents",
        permissions=frozenset(
            {
                "workflows.read",
                "runs.read",
                "reviews.read",
                "usage.read",
                "keys.read",
                "projects.read",
                "metrics.read",
                "config.read",
            }
        ),
        reach="all",
    ),
    "app": Rights(
        meant_for="an application",
        permissions=frozenset(
            {
                "models.call",
                "workflows.read",
                "workflows.run",
                "runs.read",
                "runs.read_contents",
                "runs.cancel",
            }
        ),
        reach="key",
    ),
}


def permits(role: Role, permission: Permission) -> bool:
    """Whether a key of `role` may do what `permission` names."""
    return permission in RIGHTS[role].permissions


def require(role: Role, permission: Permission) -> None:
    """`PermissionDeniedError` (403, `role_not_allowed`) unless a key of `role` may do that."""
    if permission not in RIGHTS[role].permissions:
        raise PermissionDeniedError(
            f"A key of role {role} lacks the permission `{permission}`; use a key of another role.",
            code="role_not_allowed",
        )


def roles_table_markdown() -> str:
    """The table of `docs/reference/roles.md`, which is generated from `RIGHTS`."""
    lines = [
        "| a key of this role may | " + " | ".join(ROLES) + " |",
        "|---|" + ":-:|" * len(ROLES),
    ]
    lines += [
        f"| {MEANINGS[permission]} (`{permission}`) | "
        + " | ".join("yes" if permits(role, permission) else "no" for role in ROLES)
        + " |"
        for permission in PERMISSIONS
    ]
    reaches = {"key": "its own runs", "project": "its project", "all": "all projects"}
    lines.append("| reaches | " + " | ".join(reaches[RIGHTS[r].reach] for r in ROLES) + " |")
    lines.append(
        "| creates and rotates keys of | "
        + " | ".join(_listed(RIGHTS[role].creates) for role in ROLES)
        + " |"
    )
    lines.append(
        "| revokes keys of | " + " | ".join(_listed(RIGHTS[role].revokes) for role in ROLES) + " |"
    )
    lines.append("")
    lines += [f"- **{role}** is for {RIGHTS[role].meant_for}." for role in ROLES]
    return "\n".join(lines) + "\n"


def _listed(roles: frozenset[Role]) -> str:
    if roles == frozenset(ROLES):
        return "every role"
    return ", ".join(role for role in ROLES if role in roles) or "no"
