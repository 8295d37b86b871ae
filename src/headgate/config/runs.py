"""`runs` of `headgate.yaml`: asynchronous runs, and who may be told of a run's end."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from headgate.config.table import Table


class RunWebhookSettings(Table, frozen=True):
    """Addresses that may be told of the end of runs."""

    allow: Annotated[
        tuple[Annotated[str, Meta(pattern=r"^https?://[^\s@]+$")], ...],
        Meta(
            min_length=1,
            description="What an address must begin with, such as https://hooks.example.com/runs/;"
            " scheme, host and port must be the same, and the path be it or below it.",
        ),
    ]
    secret: Annotated[str, Meta(min_length=16, description="Keys the signature; write `${NAME}`.")]
    max_attempts: Annotated[
        int, Meta(ge=1, le=50, description="Deliveries that are tried until one is given up.")
    ] = 12


class RunsSettings(Table, frozen=True):
    """Asynchronous runs."""

    per_worker: Annotated[
        int,
        Meta(
            ge=1,
            le=1000,
            description="Such runs under way at once in each process; those of a workflow with"
            " `limits.concurrency` are counted for themselves.",
        ),
    ] = 32
    waiting_at_most: Annotated[
        int,
        Meta(ge=1, description="Such runs that have not ended; beyond it new ones get 503."),
    ] = 200_000
    webhooks: Annotated[
        RunWebhookSettings | None, Meta(description="Without it, nobody is told.")
    ] = None
