"""When a person must look: `review` of `workflow.yaml`, and `reviews` of `headgate.yaml`."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from msgspec import Meta

from headgate.config.table import Name, Share, Table

AtDeadline = Literal["escalate", "approve", "reject", "fall_back", "wait"]
"""What happens to a review that nobody has decided when its time is up.

- `escalate`: it goes to another group, and its time begins anew.
- `approve`: the draft goes out; where there is none, the run is rejected.
- `reject`: the run is rejected.
- `fall_back`: the workflow's declared fallback goes out.
- `wait`: it goes on waiting, and an alert says so.
"""

AfterEscalation = Literal["approve", "reject", "fall_back", "wait"]
"""As `AtDeadline`, for one that was escalated and not decided in its second time either."""

ReviewerRole = Literal["admin", "operator", "developer", "reviewer"]
"""Roles whose keys may decide."""

FieldPath = Annotated[
    str, Meta(pattern=r"^[A-Za-z_][\w-]*(\[\])?(\.[A-Za-z_][\w-]*(\[\])?)*$", max_length=200)
]
"""A field of the output, as `severity`, `refund.usd` or, for any item, `risks[].level`."""


class FieldReview(Table, frozen=True):
    """A field's value that a person must look at; write one of `one_of`, `below`, `above`."""

    field: Annotated[FieldPath, Meta(description="As `severity`, `refund.usd` or `risks[].level`.")]
    one_of: Annotated[
        Annotated[tuple[Any, ...], Meta(min_length=1, max_length=1000)] | None,
        Meta(description="It is one of these."),
    ] = None
    below: Annotated[
        float | None,
        Meta(description="It is a number below this, such as a confidence; or it is missing."),
    ] = None
    above: Annotated[
        float | None, Meta(description="It is a number above this, or no number and not null.")
    ] = None


class DeadlineSettings(Table, frozen=True):
    """How long a review may wait, and what then."""

    within_hours: Annotated[
        float, Meta(gt=0, le=24 * 365, description="From when it is opened until its time is up.")
    ]
    remind_at: Annotated[
        tuple[Annotated[int, Meta(ge=1, le=99)], ...],
        Meta(max_length=10, description="Percentages of that time at which an alert reminds."),
    ] = (50, 90)
    then: Annotated[AtDeadline, Meta(description="What happens when it is up.")] = "wait"
    escalate_to: Annotated[
        Name | None, Meta(description="The group that it goes to, of `reviews.groups`.")
    ] = None
    after_escalation: Annotated[
        AfterEscalation, Meta(description="What happens when its second time is up too.")
    ] = "wait"


class ReviewSettings(Table, frozen=True):
    """When a person looks at a run before its output goes out, and who.

    A run that `rules.py` or a guard holds waits in any case.
    """

    always: Annotated[bool, Meta(description="Each run.")] = False
    fields: Annotated[
        tuple[FieldReview, ...],
        Meta(max_length=50, description="Runs whose output has one of these values."),
    ] = ()
    on_fallback: Annotated[
        bool, Meta(description="Runs that no model answered: the fallback is the draft.")
    ] = False
    on_flag: Annotated[bool, Meta(description="Runs in which a guard flagged something.")] = False
    sample: Annotated[
        Share, Meta(description="A share of all runs, drawn by their ids: 0.05 is one in twenty.")
    ] = 0.0
    reviewers: Annotated[
        Name | None,
        Meta(description="The group that decides; else keys of the roles reviewer and admin."),
    ] = None
    four_eyes: Annotated[
        bool, Meta(description="Whether the key that made the run may not decide.")
    ] = False
    deadline: DeadlineSettings | None = None


class ReviewerGroupSettings(Table, frozen=True):
    """Keys that decide together: each of them may."""

    keys: Annotated[tuple[str, ...], Meta(description="Ids of keys, `key_…`.")] = ()
    roles: Annotated[
        tuple[ReviewerRole, ...], Meta(description="All keys of these roles, within their reach.")
    ] = ()


class ReviewsSettings(Table, frozen=True):
    """Who decides reviews."""

    groups: Annotated[
        dict[Name, ReviewerGroupSettings], Meta(description="By name, for `reviewers`.")
    ] = {}
    claim_minutes: Annotated[
        float,
        Meta(gt=0, le=24 * 60, description="How long who claims a review keeps others from it."),
    ] = 15.0
    guard_alarms: Annotated[
        int,
        Meta(
            ge=0,
            le=100_000,
            description="Open reviews of calls that guards held, in each project; beyond, calls are"
            " refused all the same and nobody is asked.",
        ),
    ] = 1000
