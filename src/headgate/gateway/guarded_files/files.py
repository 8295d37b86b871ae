"""Forms and files of requests about objects: what guards let into them, and out of them.

A form is read to its end first, so that nothing of it leaves before its guards have seen all.
"""

from __future__ import annotations

import contextlib
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from headgate.checks.guards.guarding import Guarding
from headgate.checks.guards.policy import NOBODY, GuardPolicies
from headgate.errors import HeadgateError, InvalidRequestError, PermissionDeniedError
from headgate.gateway.call import Call
from headgate.gateway.endpoints.endpoint import UNREADABLE
from headgate.gateway.forms import SpooledForm, SpoolRoom, spool
from headgate.gateway.guarded_call import guarded_call
from headgate.gateway.guarded_files.forms import form_fields, guard_form
from headgate.gateway.guarded_files.line_notes import FileNote, LineNotes
from headgate.gateway.guarded_files.lines import GuardedLines
from headgate.gateway.guarded_files.results import GuardedResults
from headgate.gateway.hidden_values import HiddenValues
from headgate.gateway.objects.batch_lines import BatchContents
from headgate.gateway.objects.operation import Found
from headgate.gateway.upstream import RequestBody

_CHUNK_BYTES = 256 * 1024
_MAX_LINKED = 10_000
"""Files of results that this process knows to be noted; the oldest is looked up again."""

_OF_LINES = frozenset({"batch", "fine-tune", "evals"})
"""Purposes of files whose lines are JSON."""

_CONTENT = "/files/{file}/content"


class GuardedForm:
    """A form as it may leave; `close` it at the end of its request."""

    def __init__(self, form: SpooledForm, note: FileNote | None) -> None:
        self._form = form
        self.note = note
        """What to keep of the file that is made of it."""

    def body(self) -> RequestBody:
        """Its bytes."""
        return self._form.body_for("")

    def close(self) -> None:
        """Forget it."""
        self._form.close()


class GuardedFiles:
    """The guards of a server, at its files."""

    def __init__(
        self,
        policies: GuardPolicies,
        hidden: HiddenValues,
        notes: LineNotes,
        room: SpoolRoom,
        *,
        max_line_bytes: int,
    ) -> None:
        self._policies = policies
        self._hidden = hidden
        self._notes = notes
        self._room = room
        self._max_line_bytes = max_line_bytes
        self._linked: OrderedDict[tuple[str, str], None] = OrderedDict()

    async def form(
        self, call: Call, found: Found, content_type: bytes, source: RequestBody
    ) -> GuardedForm | None:
        """The form as it may leave; None where no guard may stand, and nothing has been read.

        Raises `ContentBlockedError`, `GuardFailedError`, and what reading the form raises.
        """
        name = found.operation.name
        guarded = guarded_call(call, name, "")
        guarded.kept_as_data = True
        if not self._policies.may_stand(guarded):
            return None
        form = await spool(source, content_type, self._room)
        try:
            standing = self._policies.standing(guarded) or NOBODY
            call.guarding = guarding = Guarding(standing, guarded).after(call.guarding)
            fields = form_fields(form)
            purpose = str(fields.get("purpose"))
            of_lines = name == "files" and purpose in _OF_LINES
            await guard_form(guarding, form, fields, None if of_lines else "file")
            if not of_lines:
                return GuardedForm(form, None)
            note = await self._lines(call, guarding, form, of_batch=purpose == "batch")
            return GuardedForm(form, note)
        except BaseException:
            form.close()
            raise

    async def _lines(
        self, call: Call, guarding: Guarding, form: SpooledForm, *, of_batch: bool
    ) -> FileNote | None:
        """Have the lines of the form's file seen, and written anew."""
        if len(form.reader.files) != 1:
            raise InvalidRequestError(
                "Give one file, as the form's field `file`.", param="file", code="invalid_form"
            )
        (file,) = form.reader.files
        content = form.refill(file)
        lines = GuardedLines(
            self._policies,
            self._hidden,
            self._notes,
            call,
            of_batch=of_batch,
            max_line_bytes=self._max_line_bytes,
        )
        try:
            at = file.start
            while at < file.end:
                data = await form.read(at, min(_CHUNK_BYTES, file.end - at))
                at += len(data)
                await content.add(await lines.feed(data))
            await content.add(await lines.end())
        finally:
            guarding.report.join(lines.report)
        return lines.note() if of_batch else None

    async def made(self, project: str, note: FileNote, reply: bytes) -> None:
        """Keep what leads to a file's lines. Raises `DatabaseUnavailableError`."""
        file_id = _object(reply).get("id")
        if isinstance(file_id, str):
            await self._notes.keep_files(project, {file_id: note})

    async def gone(self, project: str, file_id: str) -> None:
        """A file was deleted."""
        await self._notes.forget_file(project, file_id)

    async def batches_shown(self, project: str, shown: Sequence[Mapping[str, Any]]) -> None:
        """Keep which files hold the results of whose lines. Raises `DatabaseUnavailableError`."""
        new: dict[str, FileNote] = {}
        for batch in shown:
            for field in ("output_file_id", "error_file_id"):
                made, asked = batch.get(field), batch.get("input_file_id")
                if not isinstance(made, str) or (project, made) in self._linked:
                    continue
                note = await self._notes.file(project, asked) if isinstance(asked, str) else None
                new[made] = note or FileNote()
        if not new:
            return
        await self._notes.keep_files(project, new)
        for file_id in new:
            self._linked[project, file_id] = None
            if len(self._linked) > _MAX_LINKED:
                self._linked.popitem(last=False)

    async def results(self, call: Call, found: Found) -> GuardedResults | None:
        """What a file's content goes through; None where it is no batch's.

        Raises `DatabaseUnavailableError`.
        """
        if found.operation.path != _CONTENT:
            return None
        note = await self._notes.file(call.record.project, found.ids["file"])
        if note is None:
            return None
        return GuardedResults(self._policies, self._notes, call, note)

    async def check_batch(self, call: Call, body: bytes, contents: BatchContents | None) -> None:
        """Raise `PermissionDeniedError` where a batch's lines were not seen by its guards.

        They were where the file was uploaded in one piece with the purpose `batch`, under guards
        that say what they say now.
        """
        file_id = _object(body).get("input_file_id")
        project = call.record.project
        note = await self._notes.file(project, str(file_id)) if contents is not None else None
        models = [""] if contents is None else [n for n, w in contents.models.items() if w.requests]
        for model in models:
            standing = self._policies.standing(guarded_call(call, "batches/lines", model))
            if standing is None or not standing.must_read:
                continue
            seen = note is not None and standing.version in (
                [note.models[model]] if model in note.models else note.models.values()
            )
            if not seen:
                names = ", ".join(f"`{name}`" for name in standing.must_read)
                raise PermissionDeniedError(
                    f"The input file's lines were not seen by the guards that stand here ({names});"
                    " upload it in one piece with the purpose `batch`, with a key to which the"
                    " same guards apply, and begin the batch with that. (Guards let by what they"
                    " have not seen where they have the setting `unreadable: allow`.)",
                    param="input_file_id",
                    code="guard_cannot_see",
                )
        if contents is None:
            guarded = guarded_call(call, "batches/lines", "")
            if self._policies.may_stand(guarded) and self._policies.standing(guarded) is None:
                raise PermissionDeniedError(
                    "What the input file asks for is not known, and guards stand at some models'"
                    " calls; upload it with the purpose `batch` through Headgate.",
                    param="input_file_id",
                    code="guard_cannot_see",
                )


def _object(body: bytes) -> dict[str, Any]:
    with contextlib.suppress(*UNREADABLE, HeadgateError):
        value = msgspec.json.decode(body or b"{}")
        if isinstance(value, dict):
            return value
    return {}
