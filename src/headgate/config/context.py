"""`context:` of `workflow.yaml`: what a run may know beside its input, from which connectors."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from headgate.config.connectors import FieldName
from headgate.config.table import Name, Table

ContextTrust = Literal["trusted", "untrusted"]
"""Who wrote what stands in a part.

`untrusted`: people outside, such as customers in a CRM's notes; it is dealt with as untrusted input
is. `trusted`: the operator's own systems, such as dates and amounts.
"""

Role = Literal["admin", "operator", "developer", "reviewer", "auditor", "app"]
"""The roles of keys; `gateway.caller` has the same."""

FROM_INPUT = "input."
"""How an argument begins that is taken from the run's input."""

Argument = str | int | float | bool


class ContextPartSettings(Table, frozen=True):
    """One part of the context: records of one operation."""

    source: Annotated[
        str,
        Meta(
            pattern=r"^[a-z][a-z0-9_-]{0,62}\.[a-z][a-z0-9_-]{0,62}$",
            description="The connector and its operation: `crm.account`.",
        ),
    ] = msgspec.field(name="from")
    arguments: Annotated[
        dict[FieldName, Argument],
        Meta(
            max_length=50,
            description="What the operation is told: a field of the input, `input.account_id`, or"
            " a constant.",
        ),
    ] = {}
    fields: Annotated[
        Annotated[tuple[FieldName, ...], Meta(min_length=1)] | None,
        Meta(description="Which of the operation's fields; by default all of them."),
    ] = None
    required: Annotated[
        bool,
        Meta(
            description="Whether a run without it has failed; else it is absent where it can't be"
            " had."
        ),
    ] = True
    trust: Annotated[ContextTrust, Meta(description="Who wrote what stands in it.")] = "untrusted"
    roles: Annotated[
        Annotated[tuple[Role, ...], Meta(min_length=1)] | None,
        Meta(description="The roles of keys whose runs get it; by default all."),
    ] = None
    projects: Annotated[
        Annotated[tuple[Name, ...], Meta(min_length=1)] | None,
        Meta(description="The projects whose runs get it; by default all."),
    ] = None
    timeout_s: Annotated[
        float, Meta(gt=0, le=30, description="How long it is waited for, in seconds.")
    ] = 10.0
