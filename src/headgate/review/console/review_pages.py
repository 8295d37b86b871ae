"""Reviews: the queue, the most urgent first, and one review to decide on, beside its evidence."""

from __future__ import annotations

import hashlib
from typing import Any, get_args

import msgspec
from starlette.responses import Response

from headgate.checks.problem import Problem
from headgate.errors import ConflictError, HeadgateError, InvalidRequestError
from headgate.review.console.access import Principal
from headgate.review.console.editing import (
    MOST_FIELDS,
    WHOLE,
    Change,
    changes,
    edited,
    fields_of,
    written,
)
from headgate.review.console.rendering import Renderer
from headgate.review.console.reviews import Decision, Review, ReviewLine, Reviews
from headgate.review.console.shown import pretty
from headgate.review.console.visit import Visit, see
from headgate.review.console.wording import Wording, done_in_words, wording_of
from headgate.review.review import Decision as DecisionKind
from headgate.review.review import ReviewStatus
from headgate.workflows.tools.tool import Sent

_PAGE = 50
_KINDS: tuple[DecisionKind, ...] = get_args(DecisionKind)
_NOTE_CHARACTERS = 2000
_SEEN_CHARACTERS = 32


class _Edit(msgspec.Struct, frozen=True):
    output: dict[str, Any] | None
    """None where the form can't be read."""
    problems: tuple[Problem, ...]
    changes: list[Change]
    sent: Sent | None = None
    """Action: what would be sent so."""


class ReviewPages:
    """`/console/reviews` and what is under it."""

    def __init__(self, reviews: Reviews, renderer: Renderer) -> None:
        self._reviews = reviews
        self._renderer = renderer

    async def queue(self, visit: Visit) -> Response:
        """`GET /console/reviews`."""
        asked = visit.asked("status")
        status: ReviewStatus | None = next((s for s in get_args(ReviewStatus) if s == asked), None)
        found = await self._reviews.queue(
            visit.who, status=status, limit=_PAGE + 1, after=visit.asked("after")
        )
        return self._renderer.page(
            "reviews.html",
            visit,
            lines=found[:_PAGE],
            more=found[_PAGE - 1].id if len(found) > _PAGE else None,
            status=status,
            statuses=get_args(ReviewStatus),
            said=done_in_words(visit.asked("said") or ""),
            open_to=_open_to,
        )

    async def show(self, visit: Visit) -> Response:
        """`GET /console/reviews/{id}`."""
        return await self._page(visit, await self._reached(visit))

    async def next(self, visit: Visit) -> Response:
        """`GET /console/reviews/next`: the most urgent that nobody else works on."""
        return see(await self._next(visit))

    async def claim(self, visit: Visit) -> Response:
        """`POST /console/reviews/{id}/claim`: take it, or give it back; what was typed stays."""
        await self._reached(visit)
        act = self._reviews.release if visit.field("release") else self._reviews.claim
        try:
            found = await act(visit.who, visit.path("id"), _revision(visit))
        except ConflictError as error:
            return await self.shown_again(visit, error)
        if written(found.edited_from, visit.form) or visit.field("note").strip():
            return await self._page(visit, found)
        return see(f"/console/reviews/{found.id}")

    async def check(self, visit: Visit) -> Response:
        """`POST /console/reviews/{id}/check`: what an edit changes and what is wrong with it."""
        found = await self._reached(visit)
        edit = await self._edit(visit, found)
        return self._renderer.page(
            "part_edit.html",
            visit,
            problems=edit.problems,
            changes=edit.changes,
            preview=edit.sent,
            words=_words(found),
        )

    async def decide(self, visit: Visit) -> Response:
        """`POST /console/reviews/{id}/decision`; shows the next one at once."""
        kind: DecisionKind | None = next((k for k in _KINDS if k == visit.field("decision")), None)
        if kind is None:
            raise InvalidRequestError(
                f"`decision`: choose one of {', '.join(_KINDS)}.", param="decision"
            )
        found = await self._reached(visit)
        note = visit.field("note").strip()
        edit = await self._edit(visit, found)
        try:
            _check_note(kind, note)
            if kind == "approve" and (edit.changes or edit.output is None):
                raise InvalidRequestError(_words(found).both)
            if kind == "approve" and visit.field("seen") != _seen(found):
                raise ConflictError(
                    "What would be sent has changed since you looked; look again, then decide."
                )
            if kind == "edit" and (edit.problems or edit.output is None):
                raise InvalidRequestError("The edit does not pass yet; see below the editor.")
            await self._reviews.decide(
                visit.who,
                found.id,
                Decision(
                    kind=kind,
                    revision=_revision(visit),
                    output=edit.output if kind == "edit" else None,
                    note=note or None,
                    usd=visit.field("usd").strip() or None if kind == "approve" else None,
                ),
            )
        except HeadgateError as error:
            if error.status not in (400, 409):
                raise
            return await self.shown_again(visit, error)
        return see(await self._next(visit, said=kind, past=found.id))

    async def _reached(self, visit: Visit) -> Review:
        """The review, if they may see what it shows."""
        found = await self._reviews.get(visit.who, visit.path("id"))
        if not _open_to(found, visit.who):
            visit.who.require("runs.read_contents")
        return found

    async def _next(self, visit: Visit, *, said: str = "", past: str = "") -> str:
        """The address of the next review to decide but `past`; of the queue where none waits.

        Looked for among the 50 most urgent.
        """
        suffix = f"?said={said}" if said else ""
        for line in await self._reviews.queue(visit.who, status=None, limit=_PAGE, after=None):
            mine = line.can_decide and (line.status == "open" or line.mine)
            if line.id != past and mine and _open_to(line, visit.who):
                return f"/console/reviews/{line.id}{suffix}"
        return f"/console/reviews{suffix}"

    async def shown_again(self, visit: Visit, error: HeadgateError) -> Response:
        """The review as it stands now, with what was typed and why it was not taken."""
        found = await self._reached(visit)
        return await self._page(visit, found, error=error)

    async def _page(
        self, visit: Visit, review: Review, *, error: HeadgateError | None = None
    ) -> Response:
        free = review.claimed_by is None or review.mine
        is_open = review.status != "decided" and review.can_decide and free
        edit = await self._edit(visit, review)
        draft = review.edited_from
        whole = (
            review.unwritten
            or review.unknown
            or visit.asked("as") == "json"
            or WHOLE in visit.form
            or len(draft) > MOST_FIELDS
        )
        return self._renderer.page(
            "review.html",
            visit,
            http_status=200 if error is None else error.status,
            review=review,
            whole=visit.form.get(WHOLE, pretty(draft)) if whole else None,
            fields=fields_of(draft, visit.form),
            by_field=len(draft) <= MOST_FIELDS,
            note=visit.field("note"),
            problems=edit.problems,
            changes=edit.changes,
            preview=edit.sent,
            words=_words(review),
            seen=_seen(review),
            usd=visit.field("usd"),
            decided=changes(draft, review.output) if review.output else (),
            open=is_open,
            unsent=() if is_open else written(draft, visit.form),
            error=error,
            said=done_in_words(visit.asked("said") or ""),
        )

    async def _edit(self, visit: Visit, review: Review) -> _Edit:
        """What the form makes of the draft; the draft itself where nothing was sent."""
        draft = review.edited_from
        output, problems = edited(draft, visit.form)
        if output is None:
            return _Edit(None, problems, [])
        changed = changes(draft, output)
        sent = None
        if changed:
            problems = await self._reviews.problems(visit.who, review.id, output)
            if review.kind == "action" and not problems:
                sent = await self._reviews.preview(visit.who, review.id, output)
        return _Edit(output, problems, changed, sent)


def _open_to(line: ReviewLine, who: Principal) -> bool:
    """Whether they may see it whole: what is asked of budgets and guards holds no contents."""
    return line.kind in ("budget", "guard") or who.may("runs.read_contents")


def _seen(review: Review) -> str:
    """What the page shows of what would be sent, in short; empty where it is no action."""
    sent = review.sent_now or review.sent
    if sent is None:
        return ""
    return hashlib.sha256(msgspec.json.encode(sent)).hexdigest()[:_SEEN_CHARACTERS]


def _words(review: Review) -> Wording:
    return wording_of(
        review.kind, unknown=review.unknown, unwritten=review.unwritten, over=review.over
    )


def _check_note(kind: DecisionKind, note: str) -> None:
    if len(note) > _NOTE_CHARACTERS:
        raise InvalidRequestError(f"The note takes {_NOTE_CHARACTERS} characters.")
    if "\0" in note:
        raise InvalidRequestError("The note holds a NUL, which can't be stored; take it out.")
    if kind in ("reject", "escalate") and not note:
        raise InvalidRequestError(f"Write a note that says why you {kind} it.")


def _revision(visit: Visit) -> int:
    text = visit.field("revision")
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise InvalidRequestError("`revision`: load the page anew and decide there.")
    return int(text)
