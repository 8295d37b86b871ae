"""How actions are shown: those of a run, and the one that a review asks about."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import click
import msgspec

from headgate.cli.output import Column, print_table, printable

_MEANS = {
    "requested": "waits for a person",
    "approved": "may be sent",
    "started": "is, or was, on its way",
    "done": "done",
    "failed": "was not done",
    "unknown": "nobody knows whether it was done",
    "refused": "a person refused it",
}


def print_actions(run: dict[str, Any]) -> None:
    """A line for each action of a run; nothing where it has none."""
    rows = [
        [
            action["tool"], action["effect"], action["state"], _how(action),
            str(action["attempts"]), action["review_id"] or "", action["id"],
        ]
        for action in run.get("actions") or ()
    ]  # fmt: skip
    if rows:
        print_table(
            [
                Column("action"), Column("effect"), Column("state"), Column("which means"),
                Column("sent", "right"), Column("review"), Column("id"),
            ],
            rows,
        )  # fmt: skip


def print_action_list(actions: Sequence[dict[str, Any]]) -> None:
    """A line for each action, of whatever runs."""
    print_table(
        [
            Column("action"), Column("tool"), Column("state"), Column("which means"),
            Column("sent", "right"), Column("run"), Column("review"),
        ],
        [
            [
                action["id"], f"{action['workflow']}: {action['tool']}", action["state"],
                _how(action), str(action["attempts"]), action["run_id"],
                action["review_id"] or "",
            ]
            for action in actions
        ],
    )  # fmt: skip


def asked(action: dict[str, Any]) -> str:
    """What a review of an action asks, in a line."""
    if action["outcome_unknown"]:
        return f"was {action['tool']} done?"
    return f"send {action['tool']}?"


def print_sent(action: dict[str, Any]) -> None:
    """All of what would be sent, or was; control characters are shown as such."""
    now = action["sent_now"]
    title = "what was sent" if action["outcome_unknown"] else "what would be sent"
    if action["sent"] is not None:
        _print(title if now is None else f"{title}, when it was asked", action["sent"])
    if now is not None:
        _print("what would be sent now: the tool has changed since", now)


def print_choices(review: dict[str, Any]) -> None:
    """What the decisions mean."""
    action = review["action"]
    meanings = (
        "approve: send it; edit --output FILE: send it with these arguments; reject: don't send it"
    )
    if action["outcome_unknown"]:
        meanings = (
            "approve: send it again; edit --output FILE: it was done, and this came of it;"
            " reject: it was not done, and shall not be"
        )
        if action["sent"] is None and review["draft"] is not None:  # its run is over
            meanings = meanings.partition("; ")[2]
    click.echo(f"{meanings}\n")


def decided(review: dict[str, Any]) -> str:
    """What a decision about an action has done."""
    unknown, tool = review["action"]["outcome_unknown"], review["action"]["tool"]
    match review["decision"]:
        case "approved":
            return f"{tool} is sent again" if unknown else f"{tool} is sent"
        case "edited":
            return f"{tool} was done" if unknown else f"{tool} is sent as changed"
        case _:
            return f"{tool} was not done" if unknown else f"{tool} is not sent"


def json_lines(value: Any) -> str:
    """`value` as indented JSON, with nothing in it that a terminal would obey."""
    text = msgspec.json.format(msgspec.json.encode(value), indent=2).decode()
    return "\n".join(printable(line) for line in text.split("\n"))


def _print(title: str, sent: dict[str, Any]) -> None:
    click.echo(f"{title}\n{printable(sent['summary'])}\n{json_lines(sent['details'])}\n")


def _how(action: dict[str, Any]) -> str:
    meaning = _MEANS.get(action["state"], "")
    return f"{meaning}: {action['code']}" if action["code"] else meaning
