"""What the body of a request about objects is, and whether its caller may run what it names."""

from __future__ import annotations

import msgspec

from headgate.errors import InvalidRequestError, PermissionDeniedError
from headgate.gateway.caller import Caller
from headgate.gateway.endpoints.endpoint import UNREADABLE
from headgate.gateway.forms import boundary_of
from headgate.gateway.objects.asking import ObjectRequest
from headgate.gateway.objects.operation import Operation
from headgate.gateway.objects.references import Named, named_in
from headgate.gateway.upstream import RequestBody


def check_models(caller: Caller, operation: Operation, models: tuple[str, ...]) -> None:
    """A key that may use certain models only must not have others run in this way."""
    if not caller.models or not operation.runs_models:
        return
    for model in models or ("",):
        if not caller.may_use_model(model):
            what = f"the model `{model[:64]}`" if model else "models that its body doesn't name"
            raise PermissionDeniedError(
                f"This key may use certain models only, and {operation.name} would run {what}.",
                param="model",
                code="model_not_allowed",
            )


def form_of(request: ObjectRequest) -> RequestBody | None:
    """The body where it is a multipart form, which can be watched only as it goes by."""
    if isinstance(request.body, bytes) or boundary_of(request.content_type or b"") is None:
        return None
    return request.body


def read_body(request: ObjectRequest) -> tuple[bytes | RequestBody, Named]:
    """The body as the provider is to see it, and what it names.

    JSON is written anew, so that a field given twice can't mean one thing here and another there.
    """
    if not isinstance(request.body, bytes):
        return request.body, Named()
    if not request.body:
        return b"", Named()
    try:
        value = msgspec.json.decode(request.body)
    except UNREADABLE:
        raise InvalidRequestError(
            "The body is not JSON that this server reads.", code="invalid_json"
        ) from None
    if not isinstance(value, dict):
        raise InvalidRequestError("The body must be a JSON object.", code="invalid_json")
    return msgspec.json.encode(value), named_in(value)
