"""`connectors:` of `headgate.yaml`: where context comes from, and what of it may be used.

Each operation names the fields that may leave its connector; nothing else ever does.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from msgspec import Meta

from headgate.config.services import HttpServiceSettings
from headgate.config.table import Seconds, Table

ConnectorName = Annotated[str, Meta(pattern=r"^[a-z][a-z0-9_-]{0,62}$")]
"""Lower-case letters, digits, `-` and `_`; at most 63 characters, the first one a letter."""

FieldName = Annotated[str, Meta(pattern=r"^[a-z][a-z0-9_]{0,62}$")]
"""As a prompt can write it: `context.PART.FIELD`."""

FieldType = Literal["text", "integer", "number", "boolean", "date", "datetime"]
"""What a field holds, where it is not null. `date`: as 2026-01-31. `datetime`: in ISO 8601."""

Beyond = Literal["fail", "cut"]
"""`fail`: more records than there may be are an error. `cut`: the first ones are taken, and the
run's step says so."""


class FieldSettings(Table, frozen=True):
    """One approved field."""

    type: Annotated[FieldType, Meta(description="What it holds, where it is not null.")]
    at: Annotated[
        Annotated[str, Meta(min_length=1, max_length=200)] | None,
        Meta(description="Where in a record it stands, as `owner.email`; by default its name."),
    ] = None
    optional: Annotated[
        bool, Meta(description="Whether a record may lack it; it is null then.")
    ] = False
    max_characters: Annotated[
        int, Meta(ge=1, le=100_000, description="Of a text; a longer one is an error.")
    ] = 4000
    description: Annotated[
        str, Meta(max_length=300, description="What it means, for who reads the configuration.")
    ] = ""


class OperationSettings(Table, frozen=True):
    """What every operation has, whatever its connector's kind."""

    fields: Annotated[
        dict[FieldName, FieldType | FieldSettings],
        Meta(
            min_length=1,
            max_length=100,
            description="The fields that may leave the connector: `renewal_date: date`.",
        ),
    ]
    many: Annotated[
        Annotated[int, Meta(ge=1, le=1000)] | None,
        Meta(description="The most records of a list; without it, there is one record."),
    ] = None
    beyond: Annotated[Beyond, Meta(description="What happens where there are more.")] = "fail"
    description: Annotated[str, Meta(max_length=300, description="What it tells.")] = ""


class HttpOperationSettings(OperationSettings, frozen=True, kw_only=True):
    """One request to an HTTP service that only reads."""

    path: Annotated[
        str,
        Meta(
            pattern=r"^/\S*$",
            max_length=1000,
            description="Below the service's address; `{account_id}` stands for an argument, which"
            " can't become more than one segment.",
        ),
    ]
    method: Annotated[
        Literal["GET", "POST"], Meta(description="POST only where that reads, too.")
    ] = "GET"
    query: Annotated[
        dict[Annotated[str, Meta(min_length=1, max_length=100)], str],
        Meta(max_length=50, description="Parameters; `{account_id}` stands for an argument."),
    ] = {}
    body: Annotated[
        dict[str, Any] | None,
        Meta(
            description="With POST: sent as JSON. A text that is `{account_id}` and nothing else"
            " becomes the argument."
        ),
    ] = None
    at: Annotated[
        str,
        Meta(
            max_length=200,
            description="Where in the answer the record or list stands, as `data.account`; by"
            " default the whole answer is it.",
        ),
    ] = ""


class HttpConnectorSettings(HttpServiceSettings, frozen=True, kw_only=True):
    """A service that speaks HTTP and JSON."""

    operations: Annotated[
        dict[ConnectorName, HttpOperationSettings],
        Meta(min_length=1, max_length=200, description="What it can be asked."),
    ]


class SqlOperationSettings(OperationSettings, frozen=True, kw_only=True):
    """One query that only reads."""

    query: Annotated[
        str,
        Meta(
            min_length=1,
            max_length=20_000,
            description="One SELECT, or WITH … SELECT; `:account_id` stands for an argument, which"
            " is bound, never written into the text.",
        ),
    ]


class SqlConnectorSettings(Table, frozen=True, kw_only=True):
    """A database that is only read."""

    url: Annotated[
        str,
        Meta(
            max_length=2000,
            description="`sqlite:///PATH`, from the project's folder on, or `postgresql://…`; take"
            " the password from the environment: `${NAME}`.",
        ),
    ]
    timeout_s: Annotated[
        Seconds, Meta(description="For one query; the database breaks it off then.")
    ] = 5.0
    operations: Annotated[
        dict[ConnectorName, SqlOperationSettings],
        Meta(min_length=1, max_length=200, description="What it can be asked."),
    ]


class ConnectorSettings(Table, frozen=True):
    """One source of context: exactly one of its kinds."""

    http: HttpConnectorSettings | None = None
    sql: SqlConnectorSettings | None = None
    description: Annotated[str, Meta(max_length=300, description="What it knows.")] = ""

    @property
    def kind(self) -> HttpConnectorSettings | SqlConnectorSettings:
        """What it is; the configuration has been checked."""
        found = self.http or self.sql
        if found is None:
            raise ValueError("a connector has a kind")
        return found

    @property
    def kind_name(self) -> Literal["http", "sql"]:
        """What that is called."""
        return "http" if self.http is not None else "sql"


def field_settings(field: FieldType | FieldSettings) -> FieldSettings:
    """A field's settings, however short they were written."""
    return field if isinstance(field, FieldSettings) else FieldSettings(type=field)


def operation_of(
    connectors: dict[str, ConnectorSettings], source: str
) -> HttpOperationSettings | SqlOperationSettings | None:
    """The operation that `source`, as `crm.account`, names; None where there is none."""
    connector, _, operation = source.partition(".")
    found = connectors.get(connector)
    return None if found is None else found.kind.operations.get(operation)
