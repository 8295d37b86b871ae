"""A batch's results as they are fetched: guards look at each line, and what was hidden comes back.

Only a few lines are in memory at a time. A result that a guard does not let by is shown as a failed
one, in the form that the provider itself uses, so that the others can be used.
"""

from __future__ import annotations

import asyncio
from decimal import Decimal
from typing import Any

import msgspec

from headgate.checks.guards.guarding import Guarding, put_back
from headgate.checks.guards.policy import NOBODY, GuardPolicies
from headgate.checks.guards.report import GuardReport
from headgate.checks.parts import reply_parts, request_parts
from headgate.checks.parts.walker import TooDeepError
from headgate.checks.redaction.mapping import Mapping
from headgate.errors import HeadgateError, UpstreamFailedError
from headgate.gateway.call import Call
from headgate.gateway.endpoints.endpoint import UNREADABLE
from headgate.gateway.guarded_call import guarded_call
from headgate.gateway.guarded_files.line_notes import FileNote, LineNote, LineNotes
from headgate.gateway.line_splitter import LineSplitter, LineTooLongError

MAX_LINE_BYTES = 64 * 1024 * 1024
"""As much as one reply may have; a file with a longer line is cut there."""
_TOGETHER = 64
_TOGETHER_BYTES = 1024 * 1024

_decode = msgspec.json.Decoder(float_hook=Decimal).decode
_encode = msgspec.json.Encoder(decimal_format="number").encode


class _Named(msgspec.Struct):
    custom_id: str | None = None


_named = msgspec.json.Decoder(_Named)


class GuardedResults:
    """One file on its way to who fetches it."""

    def __init__(
        self, policies: GuardPolicies, notes: LineNotes, call: Call, note: FileNote
    ) -> None:
        """`note` is what is kept of the file, or of the file whose lines it answers."""
        self._policies = policies
        self._notes = notes
        self._call = call
        self._note = note
        self._splitter = LineSplitter(MAX_LINE_BYTES)
        self.report = GuardReport({})
        """What guards said of the lines so far, together."""

    async def feed(self, data: bytes) -> bytes:
        """Take in the file's next bytes; the lines that may be shown.

        Raises `UpstreamFailedError` where a line is longer than any may be, and
        `DatabaseUnavailableError`.
        """
        try:
            lines = self._splitter.feed(data)
        except LineTooLongError as error:
            raise UpstreamFailedError(
                f"Line {error.number} of the file has more than {MAX_LINE_BYTES} bytes, which its"
                " guards don't read.",
                code="guard_cannot_see",
            ) from None
        return b"".join([line + b"\n" for line in await self._shown(lines)])

    async def end(self) -> bytes:
        """The file has ended: the rest of it. Raises as `feed` does."""
        (last,) = await self._shown([self._splitter.end()])
        return last

    async def _shown(self, lines: list[bytes]) -> list[bytes]:
        told: list[bytes] = []
        together: list[bytes] = []
        size = 0
        for line in lines:
            together.append(line)
            size += len(line)
            if len(together) >= _TOGETHER or size >= _TOGETHER_BYTES:
                told += await self._shown_together(together)
                together, size = [], 0
        return told + await self._shown_together(together)

    async def _shown_together(self, lines: list[bytes]) -> list[bytes]:
        names = [_custom_id(line) for line in lines]
        notes: dict[str, LineNote] = {}
        if self._note.token:
            wanted = list({name for name in names if name is not None})
            project = self._call.record.project
            notes = await self._notes.lines(project, self._note.token, wanted)
        return list(
            await asyncio.gather(
                *(
                    self._line(line, notes.get(name) if name is not None else None)
                    for line, name in zip(lines, names, strict=True)
                )
            )
        )

    async def _line(self, line: bytes, note: LineNote | None) -> bytes:
        if not line.strip():
            return line
        try:
            whole = _decode(line)
        except UNREADABLE:
            whole = None
        if not isinstance(whole, dict):
            # Guards that must see it can't, and nothing in it is put back.
            return _refused({}, _UNREADABLE)
        response = whole.get("response")
        body = response.get("body") if isinstance(response, dict) else None
        guarding = self._guarding(note, body)
        mapping = guarding.call.mapping
        if body is None and not len(mapping):
            return line
        try:
            if body is not None:
                await guarding.reply(body)
            asked = whole.get("body")
            put_back(request_parts(asked) if isinstance(asked, dict) else [], mapping)
            put_back(reply_parts(whole.get("error")), mapping)
        except TooDeepError:
            return _refused(whole, _UNREADABLE)
        except HeadgateError as error:
            return _refused(whole, error)
        finally:
            self.report.join(guarding.report)
        return _encode(whole)

    def _guarding(self, note: LineNote | None, body: Any) -> Guarding:
        """The guards that stood at the line, or would at a call of who fetches its result."""
        file = self._note
        told = body.get("model") if isinstance(body, dict) else None
        model = file.first_model or (told if isinstance(told, str) else "")
        guarded = guarded_call(self._call, "batches/results", model if note is None else note.model)
        guarded.key_id = file.key_id or guarded.key_id
        if file.trust == "untrusted":
            guarded.trust = "untrusted"
        if note is not None:
            guarded.mapping = Mapping(note.issued)
            guarded.canaries = note.canaries
            guarded.withheld = set(note.withheld)
            guarded.structured = note.structured
        return Guarding(self._policies.standing(guarded) or NOBODY, guarded)


_UNREADABLE = UpstreamFailedError(
    "This result is not what its guards can read.", code="guard_cannot_see"
)


def _refused(whole: dict[str, Any], error: HeadgateError) -> bytes:
    """The result of a line that failed."""
    names = {name: whole.get(name) for name in ("id", "custom_id")}
    failed = {"code": error.code, "message": error.message}
    return _encode({**names, "response": None, "error": failed})


def _custom_id(line: bytes) -> str | None:
    try:
        return _named.decode(line).custom_id
    except UNREADABLE:
        return None
