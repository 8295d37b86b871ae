"""How a run fails: the errors of its own, and what its record says of others'."""

from __future__ import annotations

import asyncio

from headgate.errors import (
    ClientGoneError,
    HeadgateError,
    InvalidRequestError,
    UpstreamFailedError,
    UpstreamTimeoutError,
)
from headgate.workflows.model import ModelReply
from headgate.workflows.reply import read_failure
from headgate.workflows.run import RunError


class ChecksFailedError(UpstreamFailedError):
    """The model's answer did not pass the workflow's checks, and the workflow has no fallback."""

    code = "checks_failed"
    retryable = False


class CallsUsedUpError(UpstreamFailedError):
    """The run made as many calls of models as its workflow allows, and has no answer."""

    code = "run_calls_used_up"
    retryable = False


class MoneyUsedUpError(UpstreamFailedError):
    """The run's calls cost as much as its workflow allows, and it has no answer."""

    code = "run_money_used_up"
    retryable = False


class RunDeadlineError(UpstreamTimeoutError):
    """The run's deadline had passed before it came to its end."""

    code = "run_deadline"
    retryable = False


class ClarificationNeededError(InvalidRequestError):
    """The input lacks what an action needs, and nothing is guessed; send it again with that."""

    status = 422
    code = "clarification_needed"
    retryable = False


class DeliveryFailedError(InvalidRequestError):
    """The run's output could not be delivered; its actions tell why."""

    status = 502
    type = "server_error"
    code = "delivery_failed"
    retryable = False


def failure_of(reply: ModelReply) -> RunError:
    """What a reply that is no answer says."""
    message, kind, code = read_failure(reply.body, reply.status)
    return RunError(status=reply.status, message=message, type=kind, code=code)


def broken_off(error: BaseException) -> RunError:
    """What is told of a run that `error` ended."""
    if isinstance(error, asyncio.CancelledError):
        return RunError.of(ClientGoneError())
    if isinstance(error, HeadgateError):
        return RunError.of(error)
    return RunError.of(HeadgateError("Headgate failed while it carried this run; see its log."))
