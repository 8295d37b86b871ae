"""How `headgate check` shows which guards stand at which calls."""

from __future__ import annotations

from typing import Any

from headgate.cli.output import Column, print_table
from headgate.config.guards import GUARD_KINDS


def print_guards(policy: dict[str, Any]) -> None:
    """A line for each guard of each policy, in the order in which they look."""
    guards = policy["guards"]
    rows = [
        [
            name, _whom(rule["of"]), guard, _kind(guards[guard]),
            " and ".join(guards[guard]["directions"]), f"{guards[guard]['timeout_s']:g} s",
            "lets by" if guards[guard]["on_error"] == "allow" else "blocks",
        ]
        for name, rule in policy["guard_policies"].items()
        for guard in rule["guards"]
    ]  # fmt: skip
    if rows:
        print_table(
            [
                Column("guard policy"), Column("calls"), Column("guard"), Column("kind"),
                Column("looks at"), Column("within", "right"), Column("if it fails"),
            ],
            rows,
        )  # fmt: skip


def _whom(of: dict[str, str]) -> str:
    return ", ".join(f"{what} {pattern}" for what, pattern in of.items()) or "all"


def _kind(guard: dict[str, Any]) -> str:
    return next(kind for kind in GUARD_KINDS if guard[kind] is not None)
