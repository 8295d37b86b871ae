"""How guards are shown: which stand at which calls, and what they said of the calls of a run."""

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
            "lets by" if guards[guard]["unreadable"] == "allow" else "blocks",
        ]
        for name, rule in policy["guard_policies"].items()
        for guard in rule["guards"]
    ]  # fmt: skip
    if rows:
        print_table(
            [
                Column("guard policy"), Column("calls"), Column("guard"), Column("kind"),
                Column("looks at"), Column("within", "right"), Column("if it fails"),
                Column("what it can't read"),
            ],
            rows,
        )  # fmt: skip


def print_guards_of_run(run: dict[str, Any]) -> None:
    """A line for each verdict on each call of a run; nothing where no guard stood there."""
    tries = {step["call_id"]: str(step["attempt"]) for step in run["steps"]}
    rows = [
        [
            tries.get(call["id"], ""), said["guard"], said["direction"], said["decision"],
            said["reason"] or "", "" if said["score"] is None else str(said["score"]),
            str(sum(said["counts"].values()) or ""), f"{said['took_us'] / 1e3:.2f}",
        ]
        for call in run["calls"]
        for said in call.get("guards", ())
    ]  # fmt: skip
    if rows:
        print_table(
            [
                Column("try", "right"), Column("guard"), Column("looked at"), Column("verdict"),
                Column("reason"), Column("score", "right"), Column("found", "right"),
                Column("ms", "right"),
            ],
            rows,
        )  # fmt: skip


def _whom(of: dict[str, str]) -> str:
    return ", ".join(f"{what} {pattern}" for what, pattern in of.items()) or "all"


def _kind(guard: dict[str, Any]) -> str:
    return next(kind for kind in GUARD_KINDS if guard[kind] is not None)
