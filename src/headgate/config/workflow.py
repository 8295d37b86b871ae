"""`workflow.yaml`: what a workflow owner decides about one workflow, apart from its words.

Only fields that have an effect today are here; others are unknown fields, and so are errors.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from headgate.config.allowances import Priority
from headgate.config.caching import WorkflowCacheSettings
from headgate.config.output_rules import OutputRuleSettings
from headgate.config.reviews import ReviewSettings
from headgate.config.table import Seconds, Table
from headgate.config.tools import DeliverySettings, ToolName, ToolSettings

Trust = Literal["trusted", "untrusted"]
"""Where a run's input comes from.

`untrusted`: from outside, such as a customer's e-mail. Invisible characters are taken out of it,
and the model is told that it is data, whatever it says.
`trusted`: from the operator's own systems; it is passed on as it is.
"""

ReasoningEffort = Literal["none", "minimal", "low", "medium", "high", "xhigh"]


class CheckSettings(Table, frozen=True):
    """What happens with an output before anyone sees it."""

    reask: Annotated[
        int,
        Meta(
            ge=0,
            le=2,
            description="How often the model is asked again, with the errors, when a check fails.",
        ),
    ] = 1
    rules_timeout_s: Annotated[
        float,
        Meta(gt=0, le=30, description="Longest time one function of rules.py may take."),
    ] = 2.0
    rules: Annotated[
        tuple[OutputRuleSettings, ...],
        Meta(max_length=100, description="What must hold beside what rules.py says."),
    ] = ()


class FallbackSettings(Table, frozen=True):
    """The answer that is given when the model gives none that passes; write one of the two."""

    output: Annotated[
        dict[str, Any] | None, Meta(description="This object, which must fit the output schema.")
    ] = None
    from_rules: Annotated[bool, Meta(description="What `fallback(input)` in rules.py returns.")] = (
        False
    )


class LimitSettings(Table, frozen=True):
    """Bounds on one run."""

    timeout_s: Annotated[
        Seconds, Meta(description="For all calls of a run together; then the fallback answers.")
    ] = 120.0
    input_max_bytes: Annotated[
        int, Meta(ge=64, le=16 * 1024 * 1024, description="Largest input, as JSON.")
    ] = 256 * 1024
    priority: Annotated[
        Priority, Meta(description="Whose calls go first where they wait for a limit.")
    ] = "normal"
    concurrency: Annotated[
        Annotated[int, Meta(ge=1, le=10_000)] | None,
        Meta(
            description="Asynchronous runs under way at once, in all processes together; without"
            " it, only `runs.per_worker` of headgate.yaml bounds them."
        ),
    ] = None
    deadline_s: Annotated[
        Annotated[float, Meta(gt=0, le=30 * 86_400)] | None,
        Meta(
            description="How long after it was taken an asynchronous run may end; one that has not"
            " ended by then has failed, without a fallback."
        ),
    ] = None

    model_calls: Annotated[
        int,
        Meta(ge=1, le=100, description="Calls of models in one run at most, for tools or not."),
    ] = 10
    usd: Annotated[
        Annotated[str, Meta(pattern=r"^\d{1,9}(\.\d{1,9})?$")] | None,
        Meta(
            description="What the calls of a run may cost together, in dollars; beyond it no other"
            " is begun, nor after one whose price is not known."
        ),
    ] = None


class ScheduleSettings(Table, frozen=True):
    """When a workflow runs by itself, and on what."""

    cron: Annotated[
        str,
        Meta(
            max_length=128,
            description="Minute, hour, day of the month, month and day of the week, such as"
            " `0 7 * * mon-fri`.",
        ),
    ]
    timezone: Annotated[
        str, Meta(max_length=64, description="Whose clock, such as `Europe/Berlin`.")
    ] = "UTC"
    input: Annotated[
        dict[str, Any], Meta(description="The input of each run; it must fit the input schema.")
    ] = {}
    project: Annotated[str, Meta(max_length=64, description="Whose runs they are.")] = "default"


class WorkflowSettings(Table, frozen=True):
    """The whole of `workflow.yaml`."""

    version: Annotated[
        str,
        Meta(
            pattern=r"^(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(-[0-9A-Za-z.-]+)?(\+[0-9A-Za-z.-]+)?$",
            max_length=64,
            description="Semantic version of the folder, such as 1.4.0.",
        ),
    ]
    owner: Annotated[
        str, Meta(min_length=1, max_length=128, description="Who answers for it, a team or person.")
    ]
    route: Annotated[
        str,
        Meta(
            pattern=r"^(?!workflow:)\S+$",
            max_length=256,
            description="The route or model that its calls ask for.",
        ),
    ]
    description: Annotated[str, Meta(max_length=1000, description="What it is for.")] = ""
    trust: Annotated[Trust, Meta(description="Where the input comes from.")] = "untrusted"
    max_output_tokens: Annotated[
        int,
        Meta(ge=16, le=200_000, description="Most tokens of one reply, reasoning included."),
    ] = 2048
    temperature: Annotated[
        Annotated[float, Meta(ge=0, le=2)] | None,
        Meta(description="Sent when set; reasoning models refuse it."),
    ] = None
    reasoning_effort: Annotated[
        ReasoningEffort | None, Meta(description="Sent when set; for reasoning models.")
    ] = None
    checks: CheckSettings = CheckSettings()
    fallback: Annotated[
        FallbackSettings | Literal["review"] | None,
        Meta(
            description="What answers a run that gets no output that passes; `review`: a person"
            " does. Without it, such a run has failed."
        ),
    ] = None
    review: Annotated[
        ReviewSettings | None,
        Meta(description="When a person looks before an output goes out, and who."),
    ] = None
    tools: Annotated[
        dict[ToolName, ToolSettings],
        Meta(max_length=64, description="What the model may ask for, by the name it is shown."),
    ] = {}
    deliver: Annotated[
        DeliverySettings | None,
        Meta(description="What is done with an output once nothing holds it any more."),
    ] = None
    limits: LimitSettings = LimitSettings()
    cache: Annotated[
        WorkflowCacheSettings | None,
        Meta(description="With it, a run's model is not asked again what it has answered before."),
    ] = None
    webhook: Annotated[
        Annotated[str, Meta(max_length=2000)] | None,
        Meta(
            description="The address that is told of each run's end; `runs.webhooks` of"
            " headgate.yaml must allow it."
        ),
    ] = None
    schedule: Annotated[
        ScheduleSettings | None, Meta(description="With it, the workflow runs by itself.")
    ] = None


class PromptSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The front matter of `prompt.md`."""

    system_uses_input: Annotated[
        bool,
        Meta(
            description="Lets the system part refer to the input. Providers then can't reuse the"
            " beginning of the prompt from one run to the next, and the input speaks with the"
            " operator's voice."
        ),
    ] = False
