"""What `headgate check` shows of workflows' tools: what a model may do, and on what terms."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import msgspec

from headgate.cli.output import Column, print_table

if TYPE_CHECKING:
    from headgate.workflows.tools.box import Toolbox


def print_tool_terms(boxes: Iterable[Toolbox]) -> None:
    """Two lines for each tool of each workflow: what it does, and when it may be used."""
    # Here, because most projects have no tools, and every command pays for what is loaded above.
    from headgate.workflows.tools.terms_in_words import (  # noqa: PLC0415
        approval_in_words,
        callers_in_words,
        limits_in_words,
        reviewers_in_words,
        trust_in_words,
    )

    acts, uses = [], []
    for box in boxes:
        for tool in box:
            terms, name = tool.terms, f"{box.workflow}: {tool.name}"
            approval = approval_in_words(terms)
            if terms.approvals:
                approval = f"{approval}, by {reviewers_in_words(terms)}"
            again = "" if terms.effect == "read" else "yes" if terms.idempotent else "no"
            delivers = ", delivers outputs" if box.given(tool.name) is None else ""
            acts.append(
                [name, tool.settings.source or "tools.py", terms.effect + delivers, approval, again]
            )
            uses.append(
                [
                    name, callers_in_words(terms), trust_in_words(terms), limits_in_words(terms),
                    ", ".join(tool.settings.arguments),
                ]
            )  # fmt: skip
    if acts:
        print_table(
            [
                Column("tool of a workflow"), Column("from"), Column("effect"),
                Column("a person approves"), Column("sent again"),
            ],
            acts,
        )  # fmt: skip
        print_table(
            [
                Column("may be used"), Column("by runs of"), Column("trust"), Column("limits"),
                Column("filled in"),
            ],
            uses,
        )  # fmt: skip


def tool_summaries(box: Toolbox | None) -> list[dict[str, Any]]:
    """The same as data, for `--json`."""
    if box is None:
        return []
    from headgate.intake.http.action_view import tool_view  # noqa: PLC0415 - as above

    return [
        msgspec.to_builtins(tool_view(tool, delivers=box.given(tool.name) is None)) for tool in box
    ]
