"""Which models the simulator has, and what each can do."""

from __future__ import annotations

from typing import Literal

import msgspec

from headgate.simulator.wire.api_error import unknown_model

Family = Literal[
    "text", "embedding", "moderation", "hearing", "speech", "image", "realtime"
]  # fmt: skip
"""What a model is for: answers in text, vectors, moderation scores, writing down what is said,
speaking, pictures, or conversations as they are spoken."""

Effort = Literal["none", "minimal", "low", "medium", "high", "xhigh", "max"]
"""How long a reasoning model thinks."""


class Model(msgspec.Struct, frozen=True, kw_only=True):
    """A model, by the name that clients ask for."""

    id: str
    snapshot: str
    """The dated name that answers carry; the same as `id` where there is none."""
    created: int
    """Unix time, in seconds."""
    family: Family = "text"
    context_tokens: int = 128_000
    max_output_tokens: int = 16_384
    effort: Effort | None = None
    """The reasoning effort where a request names none; None for models that don't reason."""
    dimensions: int = 0
    """The length of an embedding."""

    @property
    def reasons(self) -> bool:
        """Whether it can think before it answers."""
        return self.effort is not None

    @property
    def always_reasons(self) -> bool:
        """Whether it takes neither a temperature nor `max_tokens`, as the first GPT-5 and o3."""
        return self.effort not in (None, "none")


def _text(
    model: str,
    created: int,
    *,
    snapshot: str = "",
    context: int = 128_000,
    out: int = 16_384,
    effort: Effort | None = None,
) -> Model:
    return Model(
        id=model,
        snapshot=snapshot or model,
        created=created,
        context_tokens=context,
        max_output_tokens=out,
        effort=effort,
    )


def _dated(model: Model) -> tuple[Model, ...]:
    """The model, and its snapshot under the snapshot's own name."""
    if model.snapshot == model.id:
        return (model,)
    return (model, msgspec.structs.replace(model, id=model.snapshot))


_MEDIUM: Effort = "medium"

_OTHERS: tuple[tuple[str, int, Family], ...] = (
    ("gpt-4o-transcribe", 1_742_068_463, "hearing"),
    ("gpt-4o-mini-transcribe", 1_742_068_596, "hearing"),
    ("whisper-1", 1_677_532_384, "hearing"),
    ("gpt-4o-mini-tts", 1_742_403_959, "speech"),
    ("tts-1", 1_681_940_951, "speech"),
    ("gpt-image-1-mini", 1_758_845_821, "image"),
    ("gpt-image-1.5", 1_764_030_620, "image"),
    ("gpt-image-2", 1_776_729_600, "image"),
    ("dall-e-2", 1_698_798_177, "image"),
)

_MODELS: tuple[Model, ...] = (
    *(
        _text(model, created, snapshot=snapshot, context=1_050_000, out=128_000, effort="none")
        for model, snapshot, created in (
            ("gpt-5.5", "gpt-5.5-2026-04-23", 1_776_902_400),
            ("gpt-5.4", "", 1_772_668_800),
        )
    ),
    *(
        _text(model, created, snapshot=snapshot, context=400_000, out=128_000, effort="none")
        for model, snapshot, created in (
            ("gpt-5.4-mini", "gpt-5.4-mini-2026-03-17", 1_773_705_600),
            ("gpt-5.4-nano", "gpt-5.4-nano-2026-03-17", 1_773_705_600),
            ("gpt-5.2", "gpt-5.2-2025-12-11", 1_765_411_200),
            ("gpt-5.1", "gpt-5.1-2025-11-13", 1_762_992_000),
        )
    ),
    *(
        _text(model, 1_754_524_800, snapshot=snapshot, context=400_000, out=128_000, effort=_MEDIUM)
        for model, snapshot in (
            ("gpt-5", "gpt-5-2025-08-07"),
            ("gpt-5-mini", "gpt-5-mini-2025-08-07"),
            ("gpt-5-nano", "gpt-5-nano-2025-08-07"),
        )
    ),
    *(
        _text(model, created, snapshot=snapshot, context=200_000, out=100_000, effort=_MEDIUM)
        for model, snapshot, created in (
            ("o3", "o3-2025-04-16", 1_744_761_600),
            ("o3-mini", "o3-mini-2025-01-31", 1_738_281_600),
            ("o4-mini", "o4-mini-2025-04-16", 1_744_761_600),
        )
    ),
    *(
        _text(model, 1_744_588_800, snapshot=snapshot, context=1_047_576, out=32_768)
        for model, snapshot in (
            ("gpt-4.1", "gpt-4.1-2025-04-14"),
            ("gpt-4.1-mini", "gpt-4.1-mini-2025-04-14"),
            ("gpt-4.1-nano", "gpt-4.1-nano-2025-04-14"),
        )
    ),
    _text("gpt-4o", 1_722_902_400, snapshot="gpt-4o-2024-08-06"),
    _text("gpt-4o-2024-11-20", 1_732_060_800),
    _text("gpt-4o-mini", 1_721_260_800, snapshot="gpt-4o-mini-2024-07-18"),
    Model(
        id="text-embedding-3-small",
        snapshot="text-embedding-3-small",
        created=1_705_948_997,
        family="embedding",
        context_tokens=8_192,
        dimensions=1_536,
    ),
    Model(
        id="text-embedding-3-large",
        snapshot="text-embedding-3-large",
        created=1_705_953_180,
        family="embedding",
        context_tokens=8_192,
        dimensions=3_072,
    ),
    Model(
        id="text-embedding-ada-002",
        snapshot="text-embedding-ada-002",
        created=1_671_217_299,
        family="embedding",
        context_tokens=8_192,
        dimensions=1_536,
    ),
    *(
        Model(id=name, snapshot=name, created=created, family=family, context_tokens=16_000)
        for name, created, family in _OTHERS
    ),
    *(
        Model(
            id=name,
            snapshot=name,
            created=created,
            family="realtime",
            context_tokens=32_000,
            max_output_tokens=4_096,
        )
        for name, created in (
            ("gpt-realtime", 1_756_271_701),
            ("gpt-realtime-mini", 1_759_517_133),
        )
    ),
    Model(
        id="omni-moderation-latest",
        snapshot="omni-moderation-2024-09-26",
        created=1_727_308_800,
        family="moderation",
        context_tokens=32_768,
    ),
)

MODELS: dict[str, Model] = {dated.id: dated for model in _MODELS for dated in _dated(model)}
"""Every model, by the name that clients ask for."""


def find_model(name: str, family: Family) -> Model:
    """The model `name` for one kind of endpoint; `ApiError` 404 where there is none."""
    model = MODELS.get(name)
    if model is None or model.family != family:
        raise unknown_model(name)
    return model
