"""A workload file: what `headgate estimate` reads, one line for each kind of work and its size."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from msgspec import Meta

from headgate.config.table import Table
from headgate.config.yaml_file import YamlFile

MOST_REQUESTS_PER_DAY = 10**9
MOST_TOKENS = 100_000_000
"""Of one request; more than any model's context."""

MOST_LINES = 1_000

Share = Annotated[float, Meta(ge=0, le=1)]


class WorkSettings(Table, frozen=True):
    """One kind of work: how often it is asked for, and how large an average request is."""

    name: Annotated[str, Meta(min_length=1, max_length=64, description="What the table calls it.")]
    model: Annotated[
        str, Meta(min_length=1, max_length=256, description="The route or model it asks for.")
    ]
    requests_per_day: Annotated[
        int, Meta(ge=0, le=MOST_REQUESTS_PER_DAY, description="On an average day of the month.")
    ]
    input_tokens: Annotated[
        int, Meta(ge=0, le=MOST_TOKENS, description="Of one request, cached ones included.")
    ]
    output_tokens: Annotated[
        int, Meta(ge=0, le=MOST_TOKENS, description="Of one request, reasoning included.")
    ] = 0
    cached_share: Annotated[
        Share, Meta(description="Of the input tokens: found in the provider's prompt cache.")
    ] = 0.0
    batch_share: Annotated[
        Share, Meta(description="Of the requests: sent as batches, at the batch price.")
    ] = 0.0
    answered_share: Annotated[
        Share,
        Meta(description="Of the requests: answered from Headgate's own cache, at no cost."),
    ] = 0.0
    movable: Annotated[
        bool,
        Meta(
            description="Whether another model could do it; `false` for embeddings, whose vectors"
            " only fit those of the same model."
        ),
    ] = True


class WorkloadSettings(Table, frozen=True):
    """The whole of a workload file."""

    workload: Annotated[
        tuple[WorkSettings, ...],
        Meta(min_length=1, max_length=MOST_LINES, description="One entry for each kind of work."),
    ]
    days_per_month: Annotated[
        int, Meta(ge=1, le=31, description="Days with so many requests in a month.")
    ] = 30


def load_workload(path: Path) -> tuple[YamlFile, WorkloadSettings]:
    """The workload in the file `path`, and the file itself, for messages that name its lines.

    Raises `ConfigError` with file, line and field.
    """
    document = YamlFile.read(path)
    settings = document.into(WorkloadSettings)
    seen: set[str] = set()
    for index, work in enumerate(settings.workload):
        if work.name in seen:
            raise document.error(
                f"`{work.name}` stands here twice; give each its own name",
                "workload", index, "name",
            )  # fmt: skip
        seen.add(work.name)
    return document, settings
