"""How a run's steps are shown, with what its tools did and what its guards said."""

from __future__ import annotations

from typing import Any

from headgate.cli.output import Column, print_table
from headgate.cli.shown.actions import print_actions
from headgate.cli.shown.guards import print_guards_of_run


def print_steps(run: dict[str, Any]) -> None:
    """A line for each step of a run as HTTP shows it, then its actions and verdicts."""
    print_table(
        [Column("step"), Column("try", "right"), Column("verdict"), Column("ms", "right"),
         Column("details")],
        [
            [
                step["kind"], str(step["attempt"]), step["verdict"], f"{step['duration_ms']:.1f}",
                _details(step, run["calls"]),
            ]
            for step in run["steps"]
        ],
    )  # fmt: skip
    print_actions(run)
    print_guards_of_run(run)


def _details(step: dict[str, Any], calls: list[dict[str, Any]]) -> str:
    found = [f"{p['path'] or p['check']}: {p.get('message', '')}" for p in step["problems"]]
    if step["code"]:
        found.insert(0, step["code"])
    if (tool := step.get("tool")) is not None:
        outcome = f" {tool['outcome']}" if tool["outcome"] else ""
        found.insert(0, f"{tool['name'] or 'no such tool'}{outcome}")
    found += [
        f"{part['name']}: {_counted(part)} of {part['source']}"
        for part in step.get("context", ())
        if part["absent"] is None
    ]
    for call in calls:
        if call["id"] == step["call_id"]:
            tries = f", {call['attempts']} attempts" if call["attempts"] > 1 else ""
            used = call["input_tokens"] is not None
            tokens = f", {call['input_tokens']} → {call['output_tokens']} tokens" if used else ""
            if asked := call["target"] or call["model"]:
                found.append(f"{asked}{tokens}{tries}")
    return "; ".join(found)


def _counted(part: dict[str, Any]) -> str:
    more = ", of more," if part["cut"] else ""
    return f"{part['records']} record{'' if part['records'] == 1 else 's'}{more}"
