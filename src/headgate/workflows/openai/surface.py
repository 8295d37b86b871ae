"""Answers an OpenAI request whose model is `workflow:NAME` by running that workflow.

Nothing is sent before the run has ended and its output has passed the checks, so a stream begins
late and a failure is still answered with its own HTTP status.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import msgspec

from headgate.errors import HeadgateError
from headgate.gateway.caller import Caller
from headgate.telemetry.traces.lineage import Parent
from headgate.workflows.openai.input import OpenAIEndpoint, read_openai_request
from headgate.workflows.openai.output import (
    chat_completion,
    chat_events,
    response,
    response_events,
)
from headgate.workflows.run import Order, Run, RunError
from headgate.workflows.run_headers import run_headers
from headgate.workflows.runner import Runner

_JSON = (b"content-type", b"application/json")
_EVENTS = (b"content-type", b"text/event-stream; charset=utf-8")


class AwaitingReviewError(HeadgateError):
    """A person must look at this run's output before it goes out; ask for the run later."""

    status = 422
    type = "invalid_request_error"
    code = "awaiting_review"
    retryable = False


class WorkflowAnswer(msgspec.Struct, frozen=True):
    """What to send: a body, or the events of a stream."""

    status: int
    headers: tuple[tuple[bytes, bytes], ...]
    body: bytes | None = None
    events: tuple[bytes, ...] = ()
    """Server-sent events, each whole with its blank line; empty where there is a body."""


async def answer_workflow(
    runner: Runner,
    run: Callable[[Order], Awaitable[Run]],
    *,
    name: str,
    endpoint: OpenAIEndpoint,
    body: bytes,
    caller: Caller,
    trace_id: str,
    parent: Parent | None = None,
    feature: str | None = None,
    user: str | None = None,
    idempotency_key: str | None = None,
    no_store: bool = False,
    untrusted: bool = False,
    headers: tuple[tuple[bytes, bytes], ...] = (),
) -> WorkflowAnswer:
    """Run the workflow `name` by `run`, with the input in `body`, a request's JSON.

    A run that fails is answered with its error's status. Raises `HeadgateError` for what never
    became a run.
    """
    workflow = runner.admitted(name, caller)
    request = read_openai_request(workflow, endpoint, body)
    ended = await run(
        Order(
            workflow=name,
            input=request.input,
            caller=caller,
            trace_id=trace_id,
            parent=parent,
            feature=feature,
            user=user,
            idempotency_key=idempotency_key,
            no_store=no_store,
            untrusted=untrusted,
            headers=headers,
        )
    )
    if ended.status == "awaiting_review":
        # An SDK's caller waits for an answer, which nobody can give today; 422 is what no SDK
        # tries again by itself.
        waits = AwaitingReviewError(
            f"A person must look at the output of run {ended.id} before it goes out (review"
            f" {ended.review_id}); GET /api/runs/{ended.id} tells what became of it."
        )
        ended = msgspec.structs.replace(ended, error=RunError.of(waits))
    told = tuple((key.encode(), value.encode()) for key, value in run_headers(ended).items())
    if ended.error is not None:
        return WorkflowAnswer(ended.error.status, (_JSON, *told), failure_body(ended))
    if endpoint == "chat/completions":
        if not request.stream:
            whole = chat_completion(ended, workflow)
            return WorkflowAnswer(200, (_JSON, *told), msgspec.json.encode(whole))
        chunks = chat_events(ended, workflow, include_usage=request.include_usage)
        return WorkflowAnswer(200, (_EVENTS, *told), events=tuple(chunks))
    if not request.stream:
        whole = response(ended, workflow, request.metadata)
        return WorkflowAnswer(200, (_JSON, *told), msgspec.json.encode(whole))
    events = response_events(ended, workflow, request.metadata)
    return WorkflowAnswer(200, (_EVENTS, *told), events=tuple(events))


def failure_body(run: Run) -> bytes:
    """The error of a run that failed, in OpenAI's shape."""
    return msgspec.json.encode({"error": run.error_shown() if run.error else None})
