"""Tools that a model may ask for: what each may do, and which a workflow gives to its model.

`tools` of `headgate.yaml` names where tools come from and what the operator demands of each;
`tools` of a `workflow.yaml` gives some of them to its model, never on easier terms.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from msgspec import Meta

from headgate.config.reviews import FieldReview
from headgate.config.services import HttpServiceSettings
from headgate.config.table import Name, Seconds, Table

ToolName = Annotated[str, Meta(pattern=r"^[A-Za-z_][A-Za-z0-9_-]{0,63}$")]
"""What a model calls a tool by, as OpenAI's API takes it."""

Effect = Literal["read", "write"]
"""`read`: it changes nothing, and may be repeated. `write`: it changes something out there."""

ToolTrust = Literal["trusted", "untrusted"]
"""`trusted`: a text that the operator vouches for. `untrusted`: what anyone may have written."""

CallerRole = Literal["admin", "operator", "developer", "app"]
"""Roles whose keys may run workflows."""


class ApprovalRules(Table, frozen=True):
    """Arguments that a person must approve; others go out by themselves."""

    when: Annotated[
        tuple[FieldReview, ...],
        Meta(min_length=1, max_length=50, description="One of these holds of the arguments."),
    ]


Approval = Literal["never", "always"] | ApprovalRules


class CallerSettings(Table, frozen=True):
    """Whose runs may use a tool; who fits one line of each field that is written."""

    roles: Annotated[tuple[CallerRole, ...], Meta(description="Roles of the run's key.")] = ()
    projects: Annotated[tuple[Name, ...], Meta(description="Projects of the run.")] = ()
    keys: Annotated[tuple[str, ...], Meta(description="Ids of keys, `key_…`.")] = ()


class ToolTerms(Table, frozen=True):
    """On what terms a tool may be used. Where two are written, the stricter of each holds."""

    effect: Annotated[
        Effect | None, Meta(description="Whether it changes something; `write` if nobody says.")
    ] = None
    approval: Annotated[
        Approval | None,
        Meta(
            description="Whether a person approves each call: `never`, `always`, or by rules on the"
            " arguments; by default `always` for a write, `never` for a read."
        ),
    ] = None
    idempotent: Annotated[
        bool | None,
        Meta(
            description="Whether the same call, sent again with its idempotency key, is done once"
            " only. Others are not sent again when nobody knows whether they arrived: a person"
            " decides."
        ),
    ] = None
    callers: Annotated[
        CallerSettings | None, Meta(description="Whose runs may use it; by default everybody's.")
    ] = None
    needs: Annotated[
        ToolTrust | None,
        Meta(
            description="`trusted`: only while every text that the model sees is vouched for."
            " A write without approval must say."
        ),
    ] = None
    gives: Annotated[
        ToolTrust | None,
        Meta(description="What its answers are; `untrusted` if nobody says."),
    ] = None
    timeout_s: Annotated[Seconds | None, Meta(description="For one call; by default 10.")] = None
    per_run: Annotated[
        Annotated[int, Meta(ge=1, le=1000)] | None,
        Meta(description="Calls of one run at most; by default 10."),
    ] = None
    per_hour: Annotated[
        Annotated[int, Meta(ge=1, le=10_000_000)] | None,
        Meta(description="Calls of all runs in each clock hour, all processes together."),
    ] = None
    per_day: Annotated[
        Annotated[int, Meta(ge=1, le=100_000_000)] | None,
        Meta(description="The same in each day, UTC."),
    ] = None
    reviewers: Annotated[
        Name | None,
        Meta(description="The group that approves; else keys of the roles reviewer and admin."),
    ] = None
    four_eyes: Annotated[
        bool | None, Meta(description="Whether the key that made the run may not approve.")
    ] = None


class ToolSettings(ToolTerms, frozen=True, kw_only=True):
    """A tool that a workflow gives to its model."""

    source: Annotated[
        Annotated[str, Meta(pattern=r"^[a-z0-9][a-z0-9_.-]{0,62}/[A-Za-z_][A-Za-z0-9_-]{0,63}$")]
        | None,
        Meta(
            description="`SOURCE/TOOL` of `tools` in headgate.yaml; without it, the function of"
            " this name in the workflow's tools.py.",
        ),
    ] = None
    description: Annotated[
        Annotated[str, Meta(max_length=1024)] | None,
        Meta(description="What the model is told it is for, if not its own."),
    ] = None
    arguments: Annotated[
        dict[str, Any],
        Meta(
            max_length=50,
            description="Arguments that Headgate fills in and the model neither sees nor chooses:"
            " a value, or `input.FIELD`.",
        ),
    ] = {}


class DeliverySettings(Table, frozen=True):
    """What is done with a run's output once it is final: after its checks and its review."""

    tool: Annotated[
        ToolName, Meta(description="One of the workflow's `tools`; the model is not shown it.")
    ]
    arguments: Annotated[
        dict[str, Any],
        Meta(
            max_length=50,
            description="A value, `output`, `output.FIELD` or `input.FIELD` for each argument.",
        ),
    ] = {}


class HttpToolSettings(ToolTerms, frozen=True, kw_only=True):
    """One tool of an HTTP service."""

    description: Annotated[
        str, Meta(min_length=1, max_length=1024, description="What the model is told it is for.")
    ]
    method: Literal["GET", "POST", "PUT", "PATCH", "DELETE"] = "POST"
    path: Annotated[
        str,
        Meta(
            pattern=r"^/[!-~]*$",
            max_length=1000,
            description="Below `base_url`; `{argument}` stands for one segment.",
        ),
    ]
    parameters: Annotated[
        dict[str, Any],
        Meta(
            description="JSON Schema of its arguments, an object; those that are in no other place"
            " are the JSON body, of a GET or DELETE the query."
        ),
    ]
    query: Annotated[tuple[str, ...], Meta(description="Arguments that go into the query.")] = ()
    idempotency_header: Annotated[
        str, Meta(pattern=r"^[A-Za-z][A-Za-z0-9-]*$", max_length=64, description="Carries its key.")
    ] = "Idempotency-Key"


class HttpToolSource(HttpServiceSettings, frozen=True, kw_only=True, tag="http", tag_field="kind"):
    """Tools of an HTTP service, each described here."""

    tools: Annotated[dict[ToolName, HttpToolSettings], Meta(min_length=1)]


class OpenApiToolSource(
    HttpServiceSettings, frozen=True, kw_only=True, tag="openapi", tag_field="kind"
):
    """Tools of an HTTP service that an OpenAPI document describes."""

    document: Annotated[
        str, Meta(min_length=1, description="A file beside headgate.yaml: OpenAPI 3, YAML or JSON.")
    ]
    tools: Annotated[
        dict[ToolName, ToolTerms],
        Meta(
            min_length=1, description="The terms of each, by `operationId`; others can't be used."
        ),
    ]
    idempotency_header: Annotated[
        str, Meta(pattern=r"^[A-Za-z][A-Za-z0-9-]*$", max_length=64, description="Carries its key.")
    ] = "Idempotency-Key"


class McpToolTerms(ToolTerms, frozen=True, kw_only=True):
    """The terms of a tool of an MCP server."""

    sha256: Annotated[
        Annotated[str, Meta(pattern=r"^[0-9a-f]{64}$")] | None,
        Meta(
            description="Of its name, description and schema, as `headgate check --tools` prints"
            " it: when the server changes them, the tool is refused until somebody has looked."
        ),
    ] = None


class McpToolSource(Table, frozen=True, kw_only=True, tag="mcp", tag_field="kind"):
    """Tools of an MCP server; write one of `url` and `command`."""

    url: Annotated[
        Annotated[str, Meta(max_length=2000)] | None,
        Meta(description="Of a server over streamable HTTP: the whole address, as `…/mcp`."),
    ] = None
    headers: Annotated[
        dict[str, str], Meta(max_length=50, description="Sent to it; write `${NAME}`.")
    ] = {}
    command: Annotated[
        tuple[str, ...],
        Meta(max_length=100, description="Program and arguments of a server over standard input."),
    ] = ()
    environment: Annotated[
        dict[str, str],
        Meta(max_length=100, description="All that the command sees of it, with PATH."),
    ] = {}
    tools: Annotated[
        dict[ToolName, McpToolTerms],
        Meta(min_length=1, description="The terms of each; others can't be used."),
    ]
    connect_s: Annotated[Seconds, Meta(description="Until it has said what it can do.")] = 10.0
    max_answer_bytes: Annotated[
        int, Meta(ge=64, le=16 * 1024 * 1024, description="Largest answer that is read.")
    ] = 256 * 1024


ToolSource = HttpToolSource | OpenApiToolSource | McpToolSource
