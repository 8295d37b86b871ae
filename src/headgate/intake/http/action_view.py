"""Actions and tools as HTTP shows them; what was said to those who may see contents."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from headgate.config.tools import Effect, ToolTrust
from headgate.workflows.steps import Step
from headgate.workflows.tools.action import Action, ActionState
from headgate.workflows.tools.box import OfferedTool

Seconds = Annotated[float, Meta(description="Seconds since 1970 UTC.")]

State = Annotated[
    ActionState,
    Meta(
        description="`requested`: a person must approve. `approved`: it may be sent. `started`: it"
        " is, or was, on its way. `done`, `failed`: its outcome is known. `unknown`: nobody knows"
        " whether it was done. `refused`: a person said no."
    ),
]


class ToolStepView(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a tool's call."""

    name: Annotated[
        str | None,
        Meta(description="null where there is no such tool, to keys that may not see contents."),
    ]
    effect: Effect | None
    outcome: Annotated[
        str | None,
        Meta(
            description="`done`, `failed` or `unknown`, or the state of its action then; null: it"
            " was not called."
        ),
    ]
    action_id: str | None


class SentView(msgspec.Struct, frozen=True, kw_only=True):
    """Exactly what an action would send; secrets are only named."""

    summary: str
    details: dict[str, Any]


class ActionView(msgspec.Struct, frozen=True, kw_only=True):
    """An action. What it says and is told is null to keys that may not see contents."""

    id: str
    object: Literal["action"] = "action"
    run_id: str
    number: Annotated[int, Meta(description="Of the tool calls of its run, from 1.")]
    project: str
    workflow: str
    tool: str
    effect: Effect
    state: State
    idempotent: Annotated[bool, Meta(description="Whether it may be sent again by itself.")]
    attempts: Annotated[int, Meta(description="Times that it was sent.")]
    requested_at: Seconds
    review_id: Annotated[str | None, Meta(description="What a person is, or was, asked about it.")]
    decided_by: Annotated[str | None, Meta(description="A key's id, or `deadline`.")]
    decided_at: Seconds | None
    started_at: Seconds | None
    ended_at: Seconds | None
    code: Annotated[str | None, Meta(description="What went wrong.")]
    arguments: Annotated[dict[str, Any] | None, Meta(description="What is sent.")] = None
    asked: Annotated[
        dict[str, Any] | None,
        Meta(description="What the model had asked for, where a person changed it."),
    ] = None
    result: Annotated[Any, Meta(description="What came of it; of a refused one the note.")] = None


class ToolView(msgspec.Struct, frozen=True, kw_only=True):
    """A tool of a workflow, with the terms that hold of its source's and the workflow's own."""

    name: str
    source: Annotated[
        str | None,
        Meta(description="`SOURCE/TOOL` of headgate.yaml; null: the workflow's own tools.py."),
    ]
    delivers: Annotated[
        bool, Meta(description="Outputs are delivered by it; the model is not shown it.")
    ]
    effect: Effect
    approval: Annotated[
        Literal["never", "always", "by_rules"], Meta(description="Whether a person approves calls.")
    ]
    approval_rules: Annotated[
        list[dict[str, Any]],
        Meta(description="With `by_rules`: the arguments that a person must approve."),
    ]
    reviewers: Annotated[str | None, Meta(description="The group that approves; null: by role.")]
    four_eyes: Annotated[bool, Meta(description="Whether the key that made the run may not.")]
    idempotent: Annotated[
        bool, Meta(description="Whether it may be sent again where no answer came.")
    ]
    callers: Annotated[
        list[dict[str, Any]],
        Meta(description="Whose runs may use it: who fits all of these; empty: everybody's."),
    ]
    needs: Annotated[
        ToolTrust, Meta(description="`trusted`: only while no untrusted text is before the model.")
    ]
    gives: Annotated[ToolTrust, Meta(description="What its answers are.")]
    timeout_s: float
    per_run: int
    per_hour: int | None
    per_day: int | None
    filled_in: Annotated[
        list[str], Meta(description="Arguments that Headgate fills in; the model never sees them.")
    ]


def action_view(action: Action, *, contents: bool) -> ActionView:
    """`action`, with what it says where that may be seen."""
    return ActionView(
        id=action.id,
        run_id=action.run_id,
        number=action.number,
        project=action.project,
        workflow=action.workflow,
        tool=action.tool,
        effect=action.effect,
        state=action.state,
        idempotent=action.idempotent,
        attempts=action.attempts,
        requested_at=action.requested_at_us / 1e6,
        review_id=action.review_id,
        decided_by=action.decided_by,
        decided_at=_seconds(action.decided_at_us),
        started_at=_seconds(action.started_at_us),
        ended_at=_seconds(action.ended_at_us),
        code=action.code,
        arguments=action.arguments if contents else None,
        asked=action.asked if contents else None,
        result=action.result if contents else None,
    )


def tool_step_view(step: Step, *, contents: bool) -> ToolStepView | None:
    """What `step` tells of a tool; None where it is about none."""
    tool = step.tool
    if tool is None:
        return None
    # A name that no tool has is what a model wrote.
    unseen = step.code == "no_such_tool" and not contents
    return ToolStepView(
        name=None if unseen else tool.name,
        effect=tool.effect,
        outcome=tool.outcome,
        action_id=tool.action_id,
    )


def tool_view(offered: OfferedTool, *, delivers: bool = False) -> ToolView:
    """A tool and its terms."""
    terms = offered.terms
    rules = [
        {name: value for name, value in msgspec.to_builtins(rule).items() if value is not None}
        for approval in terms.approvals
        if not isinstance(approval, str)
        for rule in approval.when
    ]
    always = "always" in terms.approvals
    return ToolView(
        name=offered.name,
        source=offered.settings.source,
        delivers=delivers,
        effect=terms.effect,
        approval="always" if always else "by_rules" if rules else "never",
        approval_rules=[] if always else rules,
        reviewers=terms.reviewers,
        four_eyes=terms.four_eyes,
        idempotent=terms.idempotent,
        callers=[
            {name: value for name, value in msgspec.to_builtins(callers).items() if value}
            for callers in terms.callers
        ],
        needs=terms.needs,
        gives=terms.gives,
        timeout_s=terms.timeout_s,
        per_run=terms.per_run,
        per_hour=terms.per_hour,
        per_day=terms.per_day,
        filled_in=list(offered.settings.arguments),
    )


def _seconds(at_us: int | None) -> float | None:
    return None if at_us is None else at_us / 1e6
