"""Has guards look at the lines of a file, each as the request that it is, and writes them anew.

Only a few lines are in memory at a time. A line that guards can't read, or block, refuses the
whole file; the error names the line.
"""

from __future__ import annotations

import asyncio
from decimal import Decimal
from hashlib import sha256
from secrets import token_hex
from typing import Any

import msgspec

from headgate.checks.guards.guarding import Guarding
from headgate.checks.guards.policy import NOBODY, GuardPolicies
from headgate.checks.guards.report import GuardReport
from headgate.checks.parts import Part
from headgate.checks.parts.structured import asks_for_json
from headgate.errors import HeadgateError, InvalidRequestError
from headgate.gateway.call import Call
from headgate.gateway.endpoints.endpoint import UNREADABLE
from headgate.gateway.guarded_call import guarded_call
from headgate.gateway.guarded_files.line_notes import FileNote, LineNote, LineNotes
from headgate.gateway.hidden_values import HiddenValues
from headgate.gateway.line_splitter import LineSplitter, LineTooLongError

MOST_LINES = 100_000
"""Of one file; OpenAI takes 50,000 in a batch."""
_MOST_MODELS = 1_000
"""That the lines of one file may ask for."""
_TOGETHER = 16
"""Lines that are looked at at the same time, as judges elsewhere take their time."""
_TOGETHER_BYTES = 1024 * 1024
_NOTES_TOGETHER = 500

_decode = msgspec.json.Decoder(float_hook=Decimal).decode
_encode = msgspec.json.Encoder(decimal_format="number").encode


class Line(msgspec.Struct):
    """A line that guards let by."""

    data: bytes
    custom_id: str | None
    model: str
    note: LineNote | None
    """Where there is something to note."""


class GuardedLines:
    """The lines of one file that is being uploaded: `feed` it, then `end` it."""

    def __init__(
        self,
        policies: GuardPolicies,
        hidden: HiddenValues,
        notes: LineNotes,
        call: Call,
        *,
        of_batch: bool,
        max_line_bytes: int,
    ) -> None:
        """`of_batch`: each line is a request; else an example for a model to learn from."""
        self._policies = policies
        self._hidden = hidden
        self._notes = notes
        self._call = call
        self._of_batch = of_batch
        self._max_line_bytes = max_line_bytes
        self._splitter = LineSplitter(max_line_bytes)
        self._number = 0
        self._token = token_hex(16)
        self._models: dict[str, str] = {}
        self._custom_ids: set[bytes] = set()
        self._to_note: list[tuple[str, LineNote]] = []
        self.report = GuardReport({})
        """What guards said of the lines so far, together."""

    async def feed(self, data: bytes) -> bytes:
        """Take in the file's next bytes; the lines that may leave.

        Raises `ContentBlockedError`, `GuardFailedError` and `InvalidRequestError`, which name the
        line.
        """
        try:
            lines = self._splitter.feed(data)
        except LineTooLongError as error:
            raise self._too_long(error.number) from None
        return b"".join([line + b"\n" for line in await self._seen(lines)])

    async def end(self) -> bytes:
        """The file has ended: the rest of it. Raises as `feed` does."""
        (last,) = await self._seen([self._splitter.end()])
        await self._keep_notes()
        return last

    def note(self) -> FileNote:
        """What is to be kept of the file."""
        call = self._call
        return FileNote(
            token=self._token, key_id=call.record.key_id, trust=call.trust, models=self._models
        )

    async def _seen(self, lines: list[bytes]) -> list[bytes]:
        told: list[bytes] = []
        together: list[tuple[int, bytes]] = []
        size = 0
        for line in lines:
            self._number += 1
            together.append((self._number, line))
            size += len(line)
            if len(together) >= _TOGETHER or size >= _TOGETHER_BYTES:
                told += await self._seen_together(together)
                together, size = [], 0
        return told + await self._seen_together(together)

    async def _seen_together(self, lines: list[tuple[int, bytes]]) -> list[bytes]:
        if any(b'"conversation"' in line for _, line in lines):
            # Lines of one conversation number what they hide together, one after the other.
            found = [await self._line(number, line) for number, line in lines]
        else:
            found = await _all(self._line(number, line) for number, line in lines)
        for (number, _), line in zip(lines, found, strict=True):
            if line is not None and self._of_batch:
                self._take_note(number, line)
        if len(self._to_note) >= _NOTES_TOGETHER:
            await self._keep_notes()
        # A file of many lines must not hold up every other call.
        await asyncio.sleep(0)
        return [b"" if line is None else line.data for line in found]

    async def _line(self, number: int, data: bytes) -> Line | None:
        """One line; None where nothing stands in it."""
        if not data.strip():
            return None
        if number > MOST_LINES:
            raise at_line(
                number, InvalidRequestError(f"A file has at most {MOST_LINES} lines; split it.")
            )
        try:
            whole = _decode(data)
        except UNREADABLE:
            raise at_line(
                number, InvalidRequestError("It is not JSON that its guards read.")
            ) from None
        body = whole.get("body") if isinstance(whole, dict) and self._of_batch else whole
        if not isinstance(body, dict):
            what = "It has no object `body`" if self._of_batch else "It is no JSON object"
            raise at_line(number, InvalidRequestError(f"{what}, so its guards can't read it."))
        guarding = self._guarding(body)
        others: list[Part] = []
        if self._of_batch:
            others = [
                Part({name: _text(value)}, _text(value), path="line", role="label", kind="name")
                for name, value in whole.items()
                if name != "body"
            ]
            others += [
                Part(whole, name, path="line", role="label", kind="name")
                for name in whole
                if name not in _OF_A_LINE
            ]
        try:
            await self._look(guarding, body, others)
        except HeadgateError as error:
            raise at_line(number, error, guarding.report) from None
        finally:
            self.report.join(guarding.report)
        custom_id = whole.get("custom_id") if self._of_batch else None
        model = guarding.call.route or ""
        custom_id = custom_id if isinstance(custom_id, str) else None
        return Line(_encode(whole), custom_id, model, _note_of(guarding, model))

    def _guarding(self, body: dict[str, Any]) -> Guarding:
        model = body.get("model") if self._of_batch else None
        model = model if isinstance(model, str) else ""
        guarded = guarded_call(
            self._call, "batches/lines" if self._of_batch else "files", model,
            structured=asks_for_json(body),
        )  # fmt: skip
        guarded.kept_as_data = not self._of_batch
        standing = self._policies.standing(guarded) or NOBODY
        if self._of_batch and model not in self._models:
            if len(self._models) >= _MOST_MODELS:
                raise InvalidRequestError(
                    f"The lines of a file can't ask for more than {_MOST_MODELS} models; split it.",
                    param="file",
                )
            self._models[model] = standing.version
        return Guarding(standing, guarded)

    async def _look(self, guarding: Guarding, body: dict[str, Any], others: list[Part]) -> None:
        project = self._call.record.project
        conversation = _named(body.get("conversation"))
        earlier = _named(body.get("previous_response_id")) or conversation
        if earlier is not None and self._of_batch:
            guarding.call.mapping = await self._hidden.find(project, earlier)
        try:
            await guarding.request(body, others)
            await guarding.requests_verdicts()
        finally:
            guarding.abandon()
        if conversation is not None and len(guarding.call.mapping):
            await self._hidden.remember(project, conversation, guarding.call.mapping)

    def _take_note(self, number: int, line: Line) -> None:
        note = line.note
        if note is None and line.model != next(iter(self._models)):
            note = LineNote(model=line.model)
        if line.custom_id is None:
            if note is not None:
                raise at_line(
                    number,
                    InvalidRequestError(
                        "It needs a `custom_id`, a string, by which what its guards did to it is"
                        " found when its result is fetched."
                    ),
                )
            return
        digest = sha256(line.custom_id.encode("utf-8", "surrogatepass")).digest()[:16]
        if digest in self._custom_ids:
            raise at_line(
                number, InvalidRequestError("Its `custom_id` stands in an earlier line too.")
            )
        self._custom_ids.add(digest)
        if note is not None:
            self._to_note.append((line.custom_id, note))

    async def _keep_notes(self) -> None:
        notes, self._to_note = self._to_note, []
        for start in range(0, len(notes), _NOTES_TOGETHER):
            some = notes[start : start + _NOTES_TOGETHER]
            await self._notes.keep_lines(self._call.record.project, self._token, some)

    def _too_long(self, number: int) -> HeadgateError:
        return at_line(
            number,
            InvalidRequestError(
                f"It has more than {self._max_line_bytes} bytes; shorten it, or have the operator"
                " raise server.max_body_bytes."
            ),
        )


_OF_A_LINE = frozenset({"custom_id", "method", "url", "body"})


def at_line(number: int, error: HeadgateError, report: GuardReport | None = None) -> HeadgateError:
    """`error` as one about a line of the file; it names the guard that `report` says it is of."""
    message = error.message
    stopped = next(
        (
            record.guard
            for record in (report.records if report is not None else ())
            if record.decision in ("block", "failed")
        ),
        None,
    )
    if stopped is not None and f"`{stopped}`" not in message:
        message = f"{message} (The guard is `{stopped}`.)"
    return type(error)(f"Line {number} of the file: {message}", param="file", code=error.code)


def _note_of(guarding: Guarding, model: str) -> LineNote | None:
    call = guarding.call
    note = LineNote(
        model=model,
        issued=call.mapping.issued(),
        canaries=call.canaries,
        withheld=sorted(call.withheld),
        structured=call.structured,
    )
    return None if note == LineNote(model=model) else note


def _named(value: Any) -> str | None:
    """What a conversation or a response is called, by itself or in an object."""
    if isinstance(value, dict):
        value = value.get("id")
    return value if isinstance(value, str) else None


def _text(value: Any) -> str:
    return value if isinstance(value, str) else _encode(value).decode()


async def _all(lines: Any) -> list[Line | None]:
    """What becomes of `lines`; the first that fails ends the others."""
    tasks = [asyncio.ensure_future(line) for line in lines]
    try:
        return list(await asyncio.gather(*tasks))
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
