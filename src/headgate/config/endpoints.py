"""`endpoints:` in `headgate.yaml`: the addresses of the OpenAI API that are no calls to a model."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

AllowedPath = Annotated[str, Meta(pattern=r"^/v1/[a-z0-9_]+(?:/[A-Za-z0-9_-]+)*(?:/\*)?$")]
"""An address such as `/v1/videos`; with `/*` at its end, all that stands below it."""

Unregistered = Literal["refuse", "open"]
"""`refuse`: nobody reaches an object that was not made through Headgate. `open`: every project."""


MODEL_OPTIONAL = (
    "images/edits",
    "images/generations",
    "images/variations",
    "responses",
    "responses/input_tokens",
)
"""The endpoints whose requests may leave the model to the provider."""


class EndpointsSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Files, batches and their like, and which further addresses are let through."""

    allow: Annotated[
        tuple[AllowedPath, ...],
        Meta(
            description="Addresses that Headgate doesn't know and lets pass all the same, such as"
            " `/v1/assistants` or `/v1/assistants/*`. They need a key and are recorded, without"
            " cost; who owns what they make is not known, so every project may reach it."
        ),
    ] = ()
    provider: Annotated[
        str | None,
        Meta(
            description="The provider that keeps new objects whose request names neither a model"
            " nor another object; by default the first."
        ),
    ] = None
    default_models: Annotated[
        dict[str, str],
        Meta(
            description="The model or route that a request is taken to ask for where it names none,"
            " by endpoint; else its provider chooses, and what that costs is known only where its"
            " reply names the model."
        ),
    ] = {}
    unregistered_objects: Annotated[
        Unregistered,
        Meta(
            description="What becomes of objects that no project made through Headgate: `refuse`,"
            " or `open` to every project, as where one moves in with what it has."
        ),
    ] = "refuse"
    max_upload_bytes: Annotated[
        int,
        Meta(ge=1024, description="Largest form or upload; beyond it 413. It is never in memory."),
    ] = 513 * 1024 * 1024
    max_spooled_bytes: Annotated[
        int,
        Meta(
            ge=1024,
            description="How much of the forms of calls (audio, images) a process may have in"
            " temporary files at a time; beyond it such calls are refused with 503.",
        ),
    ] = 4 * 1024 * 1024 * 1024
    upload_idle_s: Annotated[
        float,
        Meta(gt=0, le=3600, description="How long an application may pause within an upload."),
    ] = 60.0
