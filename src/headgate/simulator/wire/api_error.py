"""An error in OpenAI's shape, and the refusals that every endpoint shares."""

from __future__ import annotations

from typing import Any

INVALID_REQUEST = "invalid_request_error"


class ApiError(Exception):
    """A request that is answered with `{"error": {...}}` and a status of 400 or more."""

    def __init__(
        self,
        status: int,
        message: str,
        *,
        kind: str = INVALID_REQUEST,
        param: str | None = None,
        code: str | None = None,
        headers: tuple[tuple[str, str], ...] = (),
    ) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.kind = kind
        self.param = param
        self.code = code
        self.headers = headers

    def as_json(self) -> dict[str, Any]:
        """The body that OpenAI sends with this error."""
        return {
            "error": {
                "message": self.message,
                "type": self.kind,
                "param": self.param,
                "code": self.code,
            }
        }


def missing_parameter(name: str) -> ApiError:
    """400: a required field isn't there."""
    return ApiError(
        400,
        f"Missing required parameter: '{name}'.",
        param=name,
        code="missing_required_parameter",
    )


def invalid_type(name: str, expected: str, value: object) -> ApiError:
    """400: a field has another type than the API's; `expected` such as `a string`."""
    return ApiError(
        400,
        f"Invalid type for '{name}': expected {expected}, but got {described(value)} instead.",
        param=name,
        code="invalid_type",
    )


def invalid_value(name: str, value: object, supported: tuple[str, ...]) -> ApiError:
    """400: a field's value is not among those the API supports."""
    quoted = [f"'{choice}'" for choice in supported]
    listed = quoted[0] if len(quoted) == 1 else f"{', '.join(quoted[:-1])}, and {quoted[-1]}"
    return ApiError(
        400,
        f"Invalid value: '{value}'. Supported values are: {listed}.",
        param=name,
        code="invalid_value",
    )


def unknown_model(model: str) -> ApiError:
    """404: no such model."""
    return ApiError(
        404,
        f"The model `{model}` does not exist or you do not have access to it.",
        code="model_not_found",
    )


def unsupported_parameter(name: str, message: str) -> ApiError:
    """400: the model doesn't take this field."""
    return ApiError(400, message, param=name, code="unsupported_parameter")


def context_length_exceeded(limit_tokens: int, got_tokens: int, param: str) -> ApiError:
    """400: the prompt is longer than the model's context window."""
    return ApiError(
        400,
        f"This model's maximum context length is {limit_tokens} tokens. However, your messages"
        f" resulted in {got_tokens} tokens. Please reduce the length of the messages.",
        param=param,
        code="context_length_exceeded",
    )


def described(value: object) -> str:
    """How OpenAI's messages name the JSON type of `value`."""
    match value:
        case None:
            return "null"
        case bool():
            return "a boolean"
        case int():
            return "an integer"
        case float():
            return "a decimal"
        case str():
            return "a string"
        case list():
            return "an array"
        case _:
            return "an object"
