"""The interface of a guard. To add a kind: one class here, one block in `config.guards`.

A guard gets parts, with their roles, and says what it makes of them. It may rewrite their texts. It
must not keep what it saw, and what it says holds nothing of it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import msgspec

from headgate.checks.contract.contract import Contract
from headgate.checks.contract.finished import Finished
from headgate.checks.guards.verdict import PASS, Verdict
from headgate.checks.injection import rights
from headgate.checks.parts.part import Part
from headgate.checks.parts.rewriting import TextFilter
from headgate.checks.redaction.mapping import Mapping
from headgate.config.guards import Direction, OnError, Unreadable
from headgate.config.workflow import Trust


class Guarded(msgspec.Struct):
    """The call that guards look at, as far as it is their business."""

    project: str
    key_id: str
    endpoint: str
    trust: Trust
    route: str | None = None
    workflow: str | None = None
    structured: bool = False
    """Whether the answer's texts are JSON, as the request asked for."""
    users_vouched: bool = False
    """Whether what users wrote is vouched for, though other texts make it an untrusted call."""
    origin: object = None
    """The gateway's own call, for guards that make calls themselves."""
    fields: dict[str, Any] = {}
    """The decoded request, for guards that change more of it than texts; they note it below."""
    kept_as_data: bool = False
    """Whether no model is asked: it is kept, as examples to learn from. Then nothing is added."""
    rewritten: set[str] = msgspec.field(default_factory=set)
    """The fields of the request that were changed in that way, or taken out."""
    instructions: list[str] = msgspec.field(default_factory=list)
    """What guards have to say in the operator's name; it is added to the instructions."""
    canaries: list[str] = msgspec.field(default_factory=list)
    """Tokens that an answer must not show."""
    judged: set[str] = msgspec.field(default_factory=set)
    """Texts of the answer that are with a judge already, or were."""
    markers: list[str] = msgspec.field(default_factory=list)
    """Characters that join the words of doubtful texts; an answer may have taken them over."""
    withheld: set[str] = msgspec.field(default_factory=set)
    """Tools that the call may not use."""
    trusts: set[rights.Trust] = msgspec.field(default_factory=set)
    """Whose texts stand in the conversation before the request, as `doubtful.trust_of` names them;
    guards add those of the request."""
    mapping: Mapping = msgspec.field(default_factory=Mapping)
    """What was hidden from the model."""
    contract: Contract | None = None
    """What the request asks its answer to be, where a guard holds answers to that."""
    unfit: bool = False
    """Whether the answer is not what was asked, so that it is not to be given again."""


class OutputFilter(TextFilter):
    """Rewrites one text of the answer as it flows, and says in the end what it made of it.

    `feed` and `close` raise `BlockedError` to end the stream.
    """

    def verdict(self) -> Verdict:
        """What it has made of the text so far."""
        return PASS

    def look(self, text: str) -> None:
        """Judge `text`, all that is held back so far, because it is heard already.

        Raises `BlockedError` as `feed` does, also for what `feed` would rewrite.
        """

    async def settle(self) -> None:
        """Wait for what is still being found out; raises `BlockedError` as `feed` does."""

    def abandon(self) -> None:
        """The stream was given up: what is still being found out is of no use."""


class BlockedError(Exception):
    """A guard's filter found that the stream must not go on."""

    def __init__(self, guard: str, verdict: Verdict) -> None:
        super().__init__(verdict.reason)
        self.guard = guard
        self.verdict = verdict


class Guard:
    """Checks parts; one that overrides nothing lets everything by."""

    beside = False
    """Whether a request is checked while the model is asked; such a guard rewrites nothing."""
    foreign = False
    """Whether it is code of an operator's own, which may go on when it is cancelled."""
    of_finished = False
    """Whether it looks at answers when they are finished and all that was hidden is back in them,
    with `begin`, `awaits` and `check_finished`, in place of `check_output` and `output_filter`."""

    def __init__(
        self,
        name: str,
        *,
        directions: Sequence[Direction] = ("input", "output"),
        on_error: OnError = "block",
        timeout_s: float = 2.0,
        unreadable: Unreadable = "block",
    ) -> None:
        self.name = name
        self.directions = frozenset(directions)
        self.on_error: OnError = on_error
        self.timeout_s = timeout_s
        self.unreadable: Unreadable = unreadable
        self.left_behind: set[asyncio.Task[Any]] = set()
        """Its checks that were late, were cancelled and have not ended."""

    @property
    def reads_requests(self) -> bool:
        """Whether it looks at requests at all."""
        return "input" in self.directions and type(self).check_input is not Guard.check_input

    def must_see(self, part: Part, direction: Direction, call: Guarded) -> bool:  # noqa: ARG002
        """Whether it would have to read `part`, which can't be read: an image, a file and so on."""
        if direction == "input":
            return self.reads_requests
        return type(self).check_output is not Guard.check_output

    async def check_input(self, parts: Sequence[Part], call: Guarded) -> Verdict:  # noqa: ARG002
        """What it makes of a request; it may rewrite the texts of `parts`."""
        return PASS

    async def check_output(self, parts: Sequence[Part], call: Guarded) -> Verdict:  # noqa: ARG002
        """What it makes of a whole answer; it may rewrite the texts of `parts`."""
        return PASS

    def output_filter(self, part: Part, call: Guarded) -> OutputFilter | None:  # noqa: ARG002
        """A filter for the streamed text that begins with `part`; None where it needs none.

        Without one, `check_output` sees each text of a stream when it is whole, and until then it
        is held back.
        """
        return None

    def begin(self, fields: dict[str, Any], call: Guarded) -> None:
        """See the decoded request before any guard has rewritten it; of an `of_finished` guard."""

    def awaits(self, call: Guarded) -> bool:  # noqa: ARG002
        """Whether it will look at the answer of this call at all; of an `of_finished` guard."""
        return self.of_finished

    def check_finished(self, one: Finished, call: Guarded) -> Verdict:  # noqa: ARG002
        """What it makes of a finished text or tool call; it may not wait for anything."""
        return PASS

    def reads_streams(self, call: Guarded) -> bool:  # noqa: ARG002
        """Whether any text of a streamed answer may get a filter of its; else none is made."""
        kind = type(self)
        return (
            kind.output_filter is not Guard.output_filter
            or kind.check_output is not Guard.check_output
        )
