"""`/api/reviews`: what people are asked, and what they decide."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from headgate.gateway.caller import Caller
from headgate.intake.access.reach import reaches, visible_project
from headgate.intake.access.roles import RIGHTS, permits, require
from headgate.intake.http.action_view import SentView
from headgate.intake.http.endpoint import ApiReply, ApiRequest, Endpoint
from headgate.intake.http.inputs import Input
from headgate.intake.http.review_view import (
    ReviewDetails,
    ReviewView,
    review_details,
    review_view,
    sent_view,
)
from headgate.intake.http.run_view import ProblemView
from headgate.ledger.period import moment_us
from headgate.review.board import Board
from headgate.review.case import EvaluationCase, as_yaml, case_of
from headgate.review.choice import Choice
from headgate.review.repository import Wanted, not_there
from headgate.review.review import Decision, Review, ReviewKind, ReviewStatus
from headgate.review.signals import Signals

Note = Annotated[str, Meta(pattern=r"^[^\x00]+$", max_length=4000)]
"""Text without NUL, which PostgreSQL does not take."""

Version = Annotated[
    Annotated[int, Meta(ge=1)] | None,
    Meta(description="The version that you saw; where it has changed since, 409."),
]


Change = Callable[[str, Caller, int | None], Awaitable[Review]]
"""Claims or releases a review."""


class ReviewsQuery(Input, frozen=True):
    """Which reviews to list."""

    status: Annotated[
        ReviewStatus | None, Meta(description="By default all that are not decided.")
    ] = None
    kind: ReviewKind | None = None
    workflow: str | None = None
    group: Annotated[str | None, Meta(description="The group that decides.")] = None
    project: str | None = None
    run: Annotated[str | None, Meta(description="A run's id.")] = None
    mine: Annotated[bool, Meta(description="Only those that this key has claimed.")] = False
    limit: Annotated[int, Meta(ge=1, le=100)] = 20
    after: Annotated[
        str | None, Meta(description="The id of the last review of the page before.")
    ] = None


class ReviewList(msgspec.Struct, frozen=True, kw_only=True):
    """A page of reviews, without contents: the most urgent first, of decided ones the newest."""

    object: Literal["list"] = "list"
    data: list[ReviewView]
    has_more: bool


class ClaimReview(Input, frozen=True):
    """Which version is claimed or released."""

    version: Version = None


class DecideReview(Input, frozen=True):
    """A decision."""

    decision: Decision
    output: Annotated[
        dict[str, Any] | None,
        Meta(
            description="With `edit`: the whole output; it passes the same schema and rules. Of an"
            " action its arguments, or what came of it where nobody knew."
        ),
    ] = None
    note: Annotated[Note | None, Meta(description="Why; kept with the review.")] = None
    version: Version = None
    to: Annotated[
        str | None,
        Meta(description="With `escalate`: the group; by default the one its workflow names."),
    ] = None
    usd: Annotated[
        str | None,
        Meta(
            description="Approving more money: how much is granted on top, in this window; by"
            " default as much again as the budget holds."
        ),
    ] = None


class CheckOutput(Input, frozen=True):
    """An output as it could be sent with `edit`."""

    output: dict[str, Any]


class OutputCheck(msgspec.Struct, frozen=True, kw_only=True):
    """Whether an edited output would go out."""

    passes: bool
    problems: tuple[ProblemView, ...]
    sent: Annotated[
        SentView | None,
        Meta(description="Of an action: exactly what would be sent; null where it does not pass."),
    ]


class SignalsQuery(Input, frozen=True):
    """Which decisions."""

    since: Annotated[
        str, Meta(description="How long ago, such as `24h` or `7d`, or an ISO date or time in UTC.")
    ] = "30d"
    workflow: str | None = None
    project: Annotated[str | None, Meta(description="By default all that the key reaches.")] = None


class SignalsView(msgspec.Struct, frozen=True, kw_only=True):
    """What people decided about one version of a workflow, or about one guard's alarms.

    Rates are of people's decisions, from 0 to 1; null where there was none.
    """

    workflow: str | None
    version: str | None
    guard: str | None
    decisions: Annotated[int, Meta(description="By people.")]
    by_deadline: int
    approved: Annotated[int, Meta(description="Of a guard: false alarms.")]
    edited: int
    rejected: Annotated[int, Meta(description="Of a guard: alarms that were right.")]
    overridden: Annotated[int, Meta(description="Rejected, or at least half of it written anew.")]
    acceptance_rate: float | None
    edit_rate: float | None
    override_rate: float | None
    mean_edit_distance: Annotated[float | None, Meta(description="Words that people changed.")]
    mean_edit_share: Annotated[float | None, Meta(description="The same, of all words.")]
    median_seconds_to_decision: float | None


class SignalsList(msgspec.Struct, frozen=True, kw_only=True):
    """Signals by workflow and version, then by guard."""

    object: Literal["list"] = "list"
    data: list[SignalsView]
    has_more: Annotated[bool, Meta(description="Made from the newest 50,000 decisions only.")]


class CaseView(msgspec.Struct, frozen=True, kw_only=True):
    """A decision as an evaluation case."""

    object: Literal["evaluation_case"] = "evaluation_case"
    workflow: str
    case: EvaluationCase
    yaml: Annotated[str, Meta(description="The same, to be appended to `cases.yaml`.")]


def reviews_endpoints(board: Board) -> tuple[Endpoint, ...]:
    """The endpoints over the reviews of `board`."""

    async def visible(request: ApiRequest) -> Review:
        review = await board.get(request.path["id"])
        if not _may_see(request.caller, review):
            raise not_there(review.id)
        return review

    async def listed(request: ApiRequest) -> ApiReply:
        query, caller = request.query(ReviewsQuery), request.caller
        found = await board.list(
            Wanted(
                status=query.status,
                kind=query.kind,
                workflow=query.workflow,
                reviewers=query.group,
                project=visible_project(caller, query.project),
                run_id=query.run,
                claimed_by=caller.key_id if query.mine else None,
                limit=query.limit + 1,
                after=query.after,
            )
        )
        now_us = board.now_us()
        page = [
            review_view(review, caller, board.groups, now_us=now_us)
            for review in found[: query.limit]
        ]
        return ApiReply(body=ReviewList(data=page, has_more=len(found) > query.limit))

    async def shown(request: ApiRequest) -> ApiReply:
        return await details(request, await visible(request))

    async def details(request: ApiRequest, review: Review) -> ApiReply:
        contents = permits(request.caller.role, "runs.read_contents")
        body = review_details(
            await board.show(review),
            request.caller,
            board.groups,
            now_us=board.now_us(),
            contents=contents,
        )
        return ApiReply(body=body)

    async def claimed(request: ApiRequest) -> ApiReply:
        return await in_hand(request, board.claim)

    async def released(request: ApiRequest) -> ApiReply:
        return await in_hand(request, board.release)

    async def in_hand(request: ApiRequest, change: Change) -> ApiReply:
        review, asked = await visible(request), _claim(request)
        return await details(request, await change(review.id, request.caller, asked.version))

    async def decided(request: ApiRequest) -> ApiReply:
        review, asked = await visible(request), request.json(DecideReview)
        choice = Choice(
            decision=asked.decision,
            output=asked.output,
            note=asked.note,
            version=asked.version,
            to=asked.to,
            usd=asked.usd,
        )
        return await details(request, await board.decide(review.id, request.caller, choice))

    async def checked(request: ApiRequest) -> ApiReply:
        review = await visible(request)
        require(request.caller.role, "runs.read_contents")
        output = request.json(CheckOutput).output
        found = await board.problems(review, output)
        sent = await board.preview(review, output)
        problems = tuple(
            ProblemView(path=one.path, check=one.check, message=one.message) for one in found
        )
        return ApiReply(
            body=OutputCheck(passes=not problems, problems=problems, sent=sent_view(sent))
        )

    async def case(request: ApiRequest) -> ApiReply:
        review = await visible(request)
        require(request.caller.role, "runs.read_contents")
        shown = await board.show(review)
        made = case_of(shown)
        return ApiReply(
            body=CaseView(workflow=shown.review.workflow or "", case=made, yaml=as_yaml(made))
        )

    async def signals(request: ApiRequest) -> ApiReply:
        query, caller = request.query(SignalsQuery), request.caller
        found, more = await board.signals(
            since_us=moment_us(query.since, now_us=board.now_us()),
            project=visible_project(caller, query.project),
            workflow=query.workflow,
        )
        data = [_signals_view(kind, one) for kind, one in found]
        return ApiReply(body=SignalsList(data=data, has_more=more))

    return (
        Endpoint(
            method="GET", path="/api/reviews/signals", permission="reviews.read", tag="reviews",
            summary="What decisions tell of workflows and guards", handler=signals,
            query=SignalsQuery, response=SignalsList,
        ),
        Endpoint(
            method="GET", path="/api/reviews", permission="reviews.read", tag="reviews",
            summary="List what waits for people, the most urgent first", handler=listed,
            query=ReviewsQuery, response=ReviewList,
        ),
        Endpoint(
            method="GET", path="/api/reviews/{id}", permission="reviews.read", tag="reviews",
            summary="Show a review with all that is needed to decide it", handler=shown,
            response=ReviewDetails,
        ),
        Endpoint(
            method="POST", path="/api/reviews/{id}/claim", permission="reviews.decide",
            tag="reviews", summary="Keep others from a review for a while", handler=claimed,
            request=ClaimReview, response=ReviewDetails,
        ),
        Endpoint(
            method="POST", path="/api/reviews/{id}/release", permission="reviews.decide",
            tag="reviews", summary="Let others have a review again", handler=released,
            request=ClaimReview, response=ReviewDetails,
        ),
        Endpoint(
            method="POST", path="/api/reviews/{id}/decision", permission="reviews.decide",
            tag="reviews", summary="Approve, edit, reject or escalate", handler=decided,
            request=DecideReview, response=ReviewDetails,
        ),
        Endpoint(
            method="POST", path="/api/reviews/{id}/check", permission="reviews.decide",
            tag="reviews", handler=checked,
            summary="Whether an edit would pass, and what it would send; changes nothing",
            request=CheckOutput, response=OutputCheck,
        ),
        Endpoint(
            method="POST", path="/api/reviews/{id}/case", permission="reviews.decide",
            tag="reviews", summary="Turn a decision into an evaluation case", handler=case,
            response=CaseView,
        ),
    )  # fmt: skip


def _signals_view(kind: ReviewKind, signals: Signals) -> SignalsView:
    fields = msgspec.structs.asdict(signals)
    name, version = fields.pop("of")
    guard = kind == "guard"
    return SignalsView(
        workflow=None if guard else name,
        version=None if guard else version,
        guard=name if guard else None,
        **fields,
    )


def _claim(request: ApiRequest) -> ClaimReview:
    return request.json(ClaimReview) if request.body.strip() else ClaimReview()


def _may_see(caller: Caller, review: Review) -> bool:
    if review.project is None:
        return RIGHTS[caller.role].reach == "all"
    return reaches(caller.role, caller.project, review.project)
