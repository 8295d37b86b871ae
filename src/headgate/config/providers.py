"""Which kinds of provider there are, what each can do, and what only one of them is told."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

ProviderKind = Literal["openai", "azure", "anthropic"]
"""How a provider wants to be spoken to.

- `openai`: the OpenAI API, by OpenAI itself or any server that speaks it.
- `azure`: Azure OpenAI, where a model is asked for by the name of its deployment.
- `anthropic`: Anthropic's Messages API; requests and answers are translated both ways.
"""

Capability = Literal[
    "chat",
    "responses",
    "embeddings",
    "moderations",
    "audio",
    "images",
    "tools",
    "vision",
    "json_schema",
    "streaming",
]
"""Something that a request may ask for and that not every provider can do.

- `chat`, `responses`, `embeddings`, `moderations`: the endpoint of that name.
- `audio`: transcriptions, translations and speech.
- `images`: making and changing them.
- `tools`: functions that the model may call.
- `vision`: pictures among the input.
- `json_schema`: answers held to a schema.
- `streaming`: answers that arrive while they are written.
"""

CAPABILITIES: dict[ProviderKind, frozenset[Capability] | None] = {
    "openai": None,
    "azure": frozenset(
        ("chat", "responses", "embeddings", "tools", "vision", "json_schema", "streaming")
    ),
    "anthropic": frozenset(("chat", "responses", "tools", "vision", "json_schema", "streaming")),
}
"""What each kind can do where its `capabilities` are not set; None: everything."""

ANTHROPIC_URL = "https://api.anthropic.com"
"""The address of a provider of kind `anthropic` where none is written."""

DEFAULT_MAX_TOKENS = 8192
"""The most tokens of an answer where neither request nor operator says how many."""

AZURE_API_VERSION = "2024-10-21"
"""The newest dated version of Azure's inference API that is no preview."""


class AzureADSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Entra ID in place of a key: an application's secret, or the machine's own identity."""

    tenant_id: Annotated[str | None, Meta(description="The tenant of the application.")] = None
    client_id: Annotated[
        str | None,
        Meta(description="The application's id; with `managed_identity` the identity's, if many."),
    ] = None
    client_secret: Annotated[
        str | None, Meta(description="Its secret; write `${NAME}` to take it from the environment.")
    ] = None
    managed_identity: Annotated[
        bool, Meta(description="Use the identity of the machine that Headgate runs on.")
    ] = False
    authority: Annotated[
        str | None,
        Meta(
            description="Where tokens come from: by default https://login.microsoftonline.com, and"
            " with `managed_identity` http://169.254.169.254."
        ),
    ] = None
    scope: Annotated[str, Meta(description="What the token is for.")] = (
        "https://cognitiveservices.azure.com/.default"
    )
