"""Why a call has no answer, where that is not its provider's doing; see `provider_failures`."""

from __future__ import annotations

from headgate.errors import (
    ClientGoneError,
    HeadgateError,
    PermissionDeniedError,
    UnavailableError,
)
from headgate.gateway.call import Call, Client
from headgate.telemetry.faults import log_fault


def model_not_allowed(model: str) -> HeadgateError:
    """What a client is told whose key may not use `model`; "" is one that its request left open."""
    told = f"the model `{model[:64]}`" if model else "a model that its request doesn't name"
    return PermissionDeniedError(
        f"This key may not use {told}; GET /v1/models lists those that it may.",
        param="model",
        code="model_not_allowed",
    )


def given_up(client: Client) -> HeadgateError:
    """Why a call was cancelled."""
    if client.gone:
        return ClientGoneError()
    return UnavailableError(
        "The call was given up before its answer was complete: the server is stopping, or the run"
        " that made it ran out of time. Try again.",
        code="call_cancelled",
    )


def our_fault(call: Call, fault: BaseException) -> HeadgateError:
    """What a client is told of a fault of ours: where to look for it, and nothing of it."""
    call_id = call.record.id
    log_fault("call failed", fault, call_id=call_id, trace_id=call.record.trace_id)
    return HeadgateError(f"Headgate failed to carry this call; its log tells why under {call_id}.")
