"""`/api/calls/{id}`: one call as the ledger has it, with each of its attempts."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from headgate.checks.guards.report import GuardRecord, guards_said
from headgate.errors import NotFoundError
from headgate.intake.access.reach import reaches
from headgate.intake.http.endpoint import ApiReply, ApiRequest, Endpoint
from headgate.ledger.attempt import AttemptReason, AttemptRecord
from headgate.ledger.money import header_usd
from headgate.ledger.record import CallRecord
from headgate.ledger.usage import call_with_attempts
from headgate.storage import Database
from headgate.storage.threads import StorageThreads


class AttemptView(msgspec.Struct, frozen=True, kw_only=True):
    """One try of one target."""

    number: int
    reason: AttemptReason
    provider: str
    model: str
    provider_key: Annotated[
        str | None, Meta(description="The name of the provider's key, where it has several.")
    ]
    status: Annotated[
        int | None, Meta(description="What the provider answered; null where no whole answer came.")
    ]
    error: Annotated[str | None, Meta(description="Null where its answer was used.")]
    latency_ms: float
    input_tokens: Annotated[
        int | None,
        Meta(
            description="An estimate, of an attempt whose answer was not used and may be charged"
            " all the same; else null, as are the two below."
        ),
    ]
    output_tokens: int | None
    cost_nanousd: Annotated[int | None, Meta(description="Part of the call's cost.")]


class CallView(msgspec.Struct, frozen=True, kw_only=True):
    """One request to a model."""

    object: Literal["call"] = "call"
    id: str
    created_at: Annotated[int, Meta(description="Seconds since 1970 UTC.")]
    project: str
    key_id: str
    endpoint: str
    feature: str | None
    workflow: str | None
    run_id: str | None
    route: str | None
    model_requested: str | None
    provider: str | None
    provider_key: str | None
    model_answered: str | None
    streamed: bool
    status: int
    error: str | None
    input_tokens: int | None
    cached_tokens: int | None
    output_tokens: int | None
    reasoning_tokens: int | None
    tokens_estimated: bool
    cost_nanousd: Annotated[
        int | None, Meta(description="Billionths of a US dollar; null where no price is known.")
    ]
    cost_usd: Annotated[str | None, Meta(description="The same in dollars, exactly.")]
    latency_ms: float
    first_token_ms: float | None
    trace_id: str
    simulated: bool
    guards: Annotated[
        tuple[GuardRecord, ...], Meta(description="What its guards said; nothing of the text.")
    ]
    attempts: int
    trail: Annotated[
        list[AttemptView],
        Meta(description="The attempts; empty where there was one and it succeeded."),
    ]


class CallsApi:
    """Handlers over the ledger of one database."""

    def __init__(self, database: Database, threads: StorageThreads) -> None:
        self._database = database
        self._threads = threads

    def endpoints(self) -> tuple[Endpoint, ...]:
        """What this API serves."""
        return (
            Endpoint(
                method="GET", path="/api/calls/{id}", permission="usage.read", tag="usage",
                summary="Show a call and its attempts", handler=self.show, response=CallView,
            ),
        )  # fmt: skip

    async def show(self, request: ApiRequest) -> ApiReply:
        """`GET /api/calls/{id}`."""
        call_id = request.path["id"]
        found = await self._threads.begin(self._find, call_id)
        caller = request.caller
        if found is None or not reaches(caller.role, caller.project, found.project):
            raise NotFoundError(f"There is no call `{call_id[:64]}` that your key may see.")
        return ApiReply(body=_view(found))

    def _find(self, call_id: str) -> CallRecord | None:
        with self._database.connect() as connection:
            return call_with_attempts(connection, call_id)


def _view(record: CallRecord) -> CallView:
    return CallView(
        id=record.id,
        created_at=record.started_at_us // 1_000_000,
        project=record.project,
        key_id=record.key_id,
        endpoint=record.endpoint,
        feature=record.feature,
        workflow=record.workflow,
        run_id=record.run_id,
        route=record.route,
        model_requested=record.model_requested,
        provider=record.provider,
        provider_key=record.provider_key,
        model_answered=record.model_answered,
        streamed=bool(record.streamed),
        status=record.status,
        error=record.error_class,
        input_tokens=record.input_tokens,
        cached_tokens=record.cached_tokens,
        output_tokens=record.output_tokens,
        reasoning_tokens=record.reasoning_tokens,
        tokens_estimated=bool(record.tokens_estimated),
        cost_nanousd=record.cost_nanousd,
        cost_usd=None if record.cost_nanousd is None else header_usd(record.cost_nanousd),
        latency_ms=record.latency_us / 1000,
        first_token_ms=None if record.first_token_us is None else record.first_token_us / 1000,
        trace_id=record.trace_id,
        simulated=bool(record.simulated),
        guards=guards_said(record.guards),
        attempts=record.attempts,
        trail=[_attempt_view(attempt) for attempt in record.trail],
    )


def _attempt_view(attempt: AttemptRecord) -> AttemptView:
    return AttemptView(
        number=attempt.number,
        reason=attempt.reason,
        provider=attempt.provider,
        model=attempt.model,
        provider_key=attempt.provider_key,
        status=attempt.status,
        error=attempt.error_class,
        latency_ms=attempt.latency_us / 1000,
        input_tokens=attempt.input_tokens,
        output_tokens=attempt.output_tokens,
        cost_nanousd=attempt.cost_nanousd,
    )
