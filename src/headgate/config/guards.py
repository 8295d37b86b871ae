"""`guards` and `guard_policies` of `headgate.yaml`: what is checked, in both directions."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from msgspec import Meta

from headgate.config.asked_model import AskedModelSettings
from headgate.config.detection import DetectionSettings
from headgate.config.table import Table

Direction = Literal["input", "output"]
"""`input`: what is asked of a model. `output`: what it answers."""

OnError = Literal["block", "allow"]
"""`block`: a call that a guard can't check is refused. `allow`: it goes by unchecked, and the
record, the metrics and `headgate check` say so."""

Unreadable = Literal["block", "allow"]
"""What becomes of images, audio, files and token numbers, in which a guard can't see text.

- `block`: a call that holds one which the guard would have to read is refused.
- `allow`: it goes by unread; `headgate check` says so.
"""

RedactMode = Literal["placeholder", "stand_in", "hash", "mask", "drop", "block"]
"""What is done with a value that was found.

- `placeholder`: `<PERSON_1>`, the same for the same value; put back in the answer.
- `stand_in`: another value of the same form, the same for the same value; put back in the answer.
- `hash`: a keyed hash, the same for the same value; never put back.
- `mask`: stars, all but the last four letters or digits.
- `drop`: nothing stands in its place.
- `block`: the call is refused.
"""

OnHit = Literal["block", "flag", "review"]
"""`block`: the call is refused. `flag`: it goes on, and its record says so. `review`: a workflow's
run waits for a person; a direct call is refused, and a person says whether rightly."""

When = Literal["before", "beside"]
"""`before`: the model is asked when the verdict is in. `beside`: at the same time, which is quicker
and sends what may be harmful; nothing of the answer is shown before the verdict."""

OnInjection = Literal["block", "strip", "flag", "review"]
"""As `OnHit`; `strip` takes the sentences that were found out of the text."""

Spotlight = Literal["none", "fence", "datamark", "encode"]
"""`fence`: random delimiters around the text. `datamark`: a mark between all words. `encode`:
base64, which only large models read well. The instructions say what it means."""

Effect = Literal["read", "outward", "write", "unknown"]
"""`read`: it looks something up, inside. `outward`: it only reads, but its arguments leave the
house. `write`: it changes something or tells somebody. `unknown`: nobody said."""

Doubtful = Literal["untrusted", "retrieved", "tool"]
"""Whose text may be an attacker's: users' of untrusted calls, what was found, tools' answers."""

Score = Annotated[float, Meta(ge=0, le=1)]

Dimension = Literal["project", "key", "route", "workflow", "trust"]
"""What a policy is chosen by."""

Pattern = Annotated[str, Meta(pattern=r"^[^\x00-\x1f\x7f]{1,64}$")]
"""A name, or a pattern with `*` for anything."""


class RedactSettings(Table, frozen=True):
    """Hides personal data and secrets from the model, and puts them back in its answer."""

    find: Annotated[DetectionSettings, Meta(description="What is looked for.")] = (
        DetectionSettings()
    )
    mode: Annotated[
        RedactMode, Meta(description="What is done with a value, where nothing else is said.")
    ] = "placeholder"
    modes: Annotated[
        dict[str, RedactMode], Meta(description="By kind: `{payment_card: mask, secret: block}`.")
    ] = {}


class WordsSettings(Table, frozen=True):
    """Looks for words and patterns of your own; needs no provider."""

    words: Annotated[
        tuple[Annotated[str, Meta(min_length=1, max_length=200)], ...],
        Meta(max_length=10_000, description="Words and phrases, found as whole words."),
    ] = ()
    patterns: Annotated[
        tuple[str, ...], Meta(max_length=100, description="Regular expressions as RE2 knows them.")
    ] = ()
    ignore_case: Annotated[
        bool, Meta(description="Whether small and capital letters are the same.")
    ] = True
    on_hit: Annotated[OnHit, Meta(description="What is done where one is found.")] = "block"
    message: Annotated[
        str | None, Meta(description="What a caller is told when it is blocked.")
    ] = None


class ModerationSettings(Table, frozen=True):
    """Has a moderation endpoint judge what is said, by category."""

    model: Annotated[
        str, Meta(description="The route or model that judges; the call's project pays for it.")
    ] = "omni-moderation-latest"
    thresholds: Annotated[
        dict[str, Score],
        Meta(
            description="From which score a category counts: `{violence: 0.7}`; for the others the"
            " provider's own judgement does."
        ),
    ] = {}
    when: Annotated[When, Meta(description="When a request is judged.")] = "before"
    window_characters: Annotated[
        int,
        Meta(ge=100, le=100_000, description="How much of a streamed answer is judged at once."),
    ] = 1000
    on_hit: Annotated[OnHit, Meta(description="What is done where a category counts.")] = "block"
    message: Annotated[
        str | None, Meta(description="What a caller is told when it is blocked.")
    ] = None


class JudgeSettings(AskedModelSettings, frozen=True, kw_only=True):
    """A model that is asked where the detector's score alone doesn't tell.

    Each text that it judges is a call of its own, which the call's project pays for. Where it
    fails, or is late, the guard has failed.
    """

    from_score: Annotated[
        int,
        Meta(ge=0, le=100, description="The detector's score from which it is asked; 0: always."),
    ] = 20
    below_score: Annotated[
        Annotated[int, Meta(ge=1, le=101)] | None,
        Meta(
            description="The score from which it is not asked any more, since that is an attack;"
            " by default the guard's `threshold`. Above that it may also acquit.",
        ),
    ] = None
    threshold: Annotated[
        int, Meta(ge=1, le=100, description="From which score of its own a text is an attack.")
    ] = 50
    timeout_s: Annotated[
        float, Meta(gt=0, le=60, description="How long it may take; less than the guard's.")
    ] = 1.5
    piece_characters: Annotated[
        int,
        Meta(
            ge=500,
            le=200_000,
            description="A longer text is judged in pieces; one call's texts in 16 at most.",
        ),
    ] = 8_000


class InjectionSettings(Table, frozen=True):
    """Looks for instructions in texts that an attacker may have written, and sets such texts apart.

    Those are what was retrieved, what tools answered and, of untrusted calls, what users wrote.
    """

    threshold: Annotated[
        int, Meta(ge=1, le=100, description="From which score a text counts as an attack.")
    ] = 50
    on_hit: Annotated[OnInjection, Meta(description="What is done with it.")] = "block"
    spotlight: Annotated[
        Spotlight, Meta(description="How such texts are made to stand out, attack or not.")
    ] = "fence"
    judge: Annotated[
        JudgeSettings | None, Meta(description="Who judges what the detector is in doubt about.")
    ] = None
    message: Annotated[
        str | None, Meta(description="What a caller is told when it is blocked.")
    ] = None


class CanarySettings(Table, frozen=True):
    """Plants a token into the instructions and stops an answer that shows it."""


class LinksSettings(Table, frozen=True):
    """Takes links and images out of answers, but for hosts that you allow."""

    hosts: Annotated[
        tuple[str, ...],
        Meta(description="Where links may lead; `*.example.com` for all below it, not itself."),
    ] = ()
    image_hosts: Annotated[
        tuple[str, ...] | None,
        Meta(description="Where images may be loaded from; by default as `hosts`."),
    ] = None
    max_query_characters: Annotated[
        int | None, Meta(description="How long the part after `?` may be; by default any.")
    ] = None
    mail: Annotated[bool, Meta(description="Whether `mailto:` and `tel:` may stand.")] = False


class ToolRightsSettings(Table, frozen=True):
    """What one tool can do."""

    effect: Annotated[Effect, Meta(description="A tool that is not listed is `unknown`.")]
    trusted_with: Annotated[
        tuple[Doubtful, ...], Meta(description="Texts that may be there all the same.")
    ] = ()


class ToolsSettings(Table, frozen=True):
    """Takes tools away while text is in the context that the operator doesn't vouch for."""

    rights: Annotated[
        dict[str, ToolRightsSettings],
        Meta(description="By the tool's name: `{search: {effect: read}}`."),
    ] = {}


class SchemaSettings(Table, frozen=True):
    """Checks answers against the schemas of their requests: structured output, tool arguments."""

    on_hit: Annotated[
        Literal["block", "flag"],
        Meta(description="What is done with an answer that does not fit."),
    ] = "block"


class CustomSettings(Table, frozen=True):
    """A guard of your own: a subclass of `headgate.checks.guards.guard.Guard`."""

    guard: Annotated[
        str, Meta(description="Its class in `file`, or its name among `headgate.guards`.")
    ]
    file: Annotated[
        str | None,
        Meta(description="A Python file of the project; else an installed package's is meant."),
    ] = None
    settings: Annotated[
        dict[str, Any], Meta(description="What its constructor takes besides the name.")
    ] = {}


class GuardSettings(Table, frozen=True):
    """One guard: exactly one of its kinds, and what holds for guards of every kind."""

    redact: RedactSettings | None = None
    words: WordsSettings | None = None
    moderation: ModerationSettings | None = None
    injection: InjectionSettings | None = None
    canary: CanarySettings | None = None
    links: LinksSettings | None = None
    tools: ToolsSettings | None = None
    schema: SchemaSettings | None = None
    custom: CustomSettings | None = None
    directions: Annotated[
        tuple[Direction, ...],
        Meta(min_length=1, description="What it looks at; restoring is done in any case."),
    ] = ("input", "output")
    on_error: Annotated[OnError, Meta(description="What happens where it fails or is late.")] = (
        "block"
    )
    timeout_s: Annotated[
        float, Meta(gt=0, le=60, description="How long it may take for one direction of a call.")
    ] = 2.0
    unreadable: Annotated[
        Unreadable, Meta(description="What becomes of parts in which it can't see text.")
    ] = "block"


class GuardPolicySettings(Table, frozen=True):
    """Which guards stand at which calls; where several policies apply, all their guards do."""

    guards: Annotated[
        tuple[str, ...], Meta(min_length=1, description="Names from `guards`, in this order.")
    ]
    of: Annotated[
        dict[Dimension, Pattern],
        Meta(description="Only calls of these, by name or pattern: `{trust: untrusted}`."),
    ] = {}


GUARD_KINDS = (
    "redact", "words", "moderation", "injection", "canary", "links", "tools", "schema", "custom",
)  # fmt: skip
"""The blocks of which a guard has exactly one."""
