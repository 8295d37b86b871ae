"""`providers.X.keys:`: several keys of one provider, each with limits of its own."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from headgate.config.table import Name, Table

Limit = Annotated[int, Meta(ge=1, le=10**12)]


class ProviderKeySettings(Table, frozen=True):
    """One key of a pool, such as that of one OpenAI project.

    Limits are learned from the provider's `x-ratelimit-*` headers too; where both are known, the
    tighter one counts.
    """

    name: Annotated[Name, Meta(description="What logs, metrics and the ledger call it.")]
    api_key: Annotated[
        str, Meta(min_length=1, description="Write `${NAME}` to take it from the environment.")
    ]
    organization: Annotated[
        str | None, Meta(description="Sent as `OpenAI-Organization`; by default the provider's.")
    ] = None
    project: Annotated[
        str | None, Meta(description="Sent as `OpenAI-Project`; by default the provider's.")
    ] = None
    rpm: Annotated[Limit | None, Meta(description="Requests a minute that it is allowed.")] = None
    tpm: Annotated[Limit | None, Meta(description="Tokens a minute that it is allowed.")] = None
    tpd: Annotated[Limit | None, Meta(description="Tokens a day that it is allowed.")] = None
