"""What is said of any small model that Headgate asks for a verdict of its own on a text."""

from __future__ import annotations

from typing import Annotated, Any

from msgspec import Meta

from headgate.config.table import Table

OWN_FIELDS = ("model", "messages", "response_format", "stream", "n", "tools", "max_tokens")
"""Of such a request: what `parameters` can't set."""


class AskedModelSettings(Table, frozen=True, kw_only=True):
    """A small model that gives verdicts in JSON."""

    model: Annotated[
        str, Meta(description="What is asked: a model, or a route that is not tiered itself.")
    ]
    max_output_tokens: Annotated[
        int, Meta(ge=5, le=10_000, description="Of its answer, thinking included.")
    ] = 30
    remember: Annotated[
        int,
        Meta(
            ge=0,
            le=1_000_000,
            description="Texts whose verdicts each process remembers, to ask once for equal ones.",
        ),
    ] = 10_000
    parameters: Annotated[
        dict[str, Any],
        Meta(
            description="More of its request, such as `reasoning_effort: minimal`; what is null is"
            " left out, such as `temperature`, which is 0 unless set."
        ),
    ] = {}
