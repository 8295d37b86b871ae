"""A call as guards are to see it, made from the gateway's own."""

from __future__ import annotations

import msgspec

from headgate.checks.guards.guard import Guarded
from headgate.checks.parts.structured import asks_for_json
from headgate.gateway.call import Call
from headgate.gateway.endpoints.endpoint import UNREADABLE
from headgate.gateway.request import Request

_SAY_FORM = ("response_format", "text")


def guarded_call(call: Call, endpoint: str, model: str, *, structured: bool = False) -> Guarded:
    """`call` as far as it is its guards' business; `model` stands for its route where it has none.

    `structured`: the answer's texts are to be JSON.
    """
    record = call.record
    return Guarded(
        project=record.project,
        key_id=record.key_id,
        endpoint=endpoint,
        trust=call.trust,
        users_vouched=call.users_vouched,
        route=record.route or model,
        workflow=record.workflow,
        structured=structured,
        origin=call,
        trusts={"retrieved"} if call.retrieved else set(),
    )


def asks_for_structure(request: Request) -> bool:
    """Whether the answer's texts are to be JSON."""
    fields = request.fields
    try:
        said = {name: msgspec.json.decode(fields[name]) for name in _SAY_FORM if name in fields}
    except UNREADABLE:
        return False
    return asks_for_json(said)
