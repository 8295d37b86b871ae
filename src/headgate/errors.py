"""What can go wrong, as one family of exceptions that the edge turns into HTTP or a line of text.

Each class carries its HTTP status, OpenAI's `type` and `code`, and a docstring that is its default
message. They are raised with the facts and rendered once: over HTTP by `intake`, on the command
line by `cli`.
"""

from __future__ import annotations

import inspect
from typing import ClassVar


class HeadgateError(Exception):
    """Headgate could not do what was asked."""

    status: ClassVar[int] = 500
    type: ClassVar[str] = "server_error"
    code: str | None = "internal_error"
    retryable: bool | None = None
    """What `x-should-retry` tells the SDKs; `None` leaves the choice to them."""
    retry_after_s: float | None = None
    """What `retry-after` tells: when to come back."""

    def __init__(
        self,
        message: str | None = None,
        *,
        param: str | None = None,
        code: str | None = None,
        retry_after_s: float | None = None,
    ) -> None:
        self.message = message or inspect.cleandoc(type(self).__doc__ or "").partition("\n")[0]
        self.param = param
        self.retry_after_s = retry_after_s
        """When to come back, where that is known; sent as `retry-after` and `retry-after-ms`."""
        if code is not None:
            self.code = code
        super().__init__(self.message)

    def as_object(self) -> dict[str, str | None]:
        """What stands under `error` in OpenAI's error shape."""
        return {
            "message": self.message,
            "type": self.type,
            "param": self.param,
            "code": self.code,
        }


class InvalidRequestError(HeadgateError):
    """The request is not well formed."""

    status = 400
    type = "invalid_request_error"
    code = "invalid_request"


class UnsupportedError(InvalidRequestError):
    """No provider of this model can do what the request asks; the message says what."""

    code = "unsupported_by_provider"


class SocketExpiredError(InvalidRequestError):
    """The websocket has lasted as long as one may; open a new one to go on."""

    code = "websocket_connection_limit_reached"


class AuthenticationError(HeadgateError):
    """No valid key: send `Authorization: Bearer hg_…` with a live Headgate key."""

    status = 401
    type = "authentication_error"
    code = "invalid_api_key"


class PermissionDeniedError(HeadgateError):
    """The key may not do that."""

    status = 403
    type = "permission_error"
    code = "permission_denied"


class ContentBlockedError(InvalidRequestError):
    """A guard does not let this content by; the message names the guard."""

    code = "content_blocked"
    retryable = False


class ReviewNeededError(ContentBlockedError):
    """A person must look at it first, so it does not go on; the message says who asks for that."""

    status = 403
    type = "permission_error"
    code = "review_needed"


class NotFoundError(HeadgateError):
    """There is no such thing here."""

    status = 404
    type = "invalid_request_error"
    code = "not_found"


class MethodNotAllowedError(HeadgateError):
    """The address does not take that method."""

    status = 405
    type = "invalid_request_error"
    code = "method_not_allowed"


class ModelNotFoundError(NotFoundError):
    """There is no such model or route."""

    code = "model_not_found"


class RequestTooSlowError(HeadgateError):
    """The request's body did not come in time."""

    status = 408
    type = "invalid_request_error"
    code = "request_timeout"


class HeadTooLargeError(HeadgateError):
    """The request's address and headers are too large; send fewer or shorter ones."""

    status = 431
    type = "invalid_request_error"
    code = "head_too_large"


class ConflictError(HeadgateError):
    """That contradicts what is already there."""

    status = 409
    type = "invalid_request_error"
    code = "conflict"
    retryable = False


class PayloadTooLargeError(HeadgateError):
    """The body is larger than this server takes."""

    status = 413
    type = "invalid_request_error"
    code = "payload_too_large"


class UnsupportedMediaTypeError(HeadgateError):
    """The body's encoding or type is not one this server reads."""

    status = 415
    type = "invalid_request_error"
    code = "unsupported_media_type"


class UpgradeRequiredError(HeadgateError):
    """That address is a websocket's: open one there instead of sending a request."""

    status = 426
    type = "invalid_request_error"
    code = "upgrade_required"


class LimitExceededError(HeadgateError):
    """A limit of this server's is reached; come back when `retry-after` says."""

    status = 429
    type = "rate_limit_error"
    code = "rate_limit_exceeded"


class BudgetExceededError(HeadgateError):
    """A budget of this server's is used up; ask whoever runs it for more."""

    status = 429
    type = "insufficient_quota"
    code = "budget_exceeded"
    retryable = False


class ClientGoneError(HeadgateError):
    """The client closed the connection before the answer was complete."""

    status = 499
    type = "invalid_request_error"
    code = "client_disconnected"


class UpstreamFailedError(HeadgateError):
    """The provider could not be reached or broke off."""

    status = 502
    type = "upstream_error"
    code = "upstream_failed"


class UpstreamRefusedKeyError(UpstreamFailedError):
    """The provider refused Headgate's own key; an operator must set a valid one."""

    code = "upstream_authentication_failed"
    retryable = False


class UpstreamLoopError(UpstreamFailedError):
    """The provider's address leads back here: point `base_url` or OPENAI_BASE_URL elsewhere."""

    code = "upstream_loop"
    retryable = False


class UnavailableError(HeadgateError):
    """Headgate cannot serve this now; try again shortly."""

    status = 503
    type = "server_error"
    code = "unavailable"


class GuardFailedError(UnavailableError):
    """A guard could not check the content, so it is refused; the message names the guard."""

    code = "guard_failed"


class UpstreamTimeoutError(HeadgateError):
    """The provider took too long."""

    status = 504
    type = "upstream_error"
    code = "upstream_timeout"


class CircuitOpenError(UnavailableError):
    """Every target of this model has been failing and is left alone for a while; try again then."""

    code = "circuit_open"


class DeadlineExceededError(UpstreamTimeoutError):
    """No answer came within the time that the client gave; give it more, or try again later."""

    code = "deadline_exceeded"


class DatabaseUnavailableError(UnavailableError):
    """The database cannot be reached; Headgate refuses what it could not record."""

    code = "database_unavailable"


class ConfigError(HeadgateError):
    """A file or setting an operator wrote is wrong; the message names file, line and field."""

    type = "config_error"
    code = "config_error"

    def __init__(self, message: str, *, problems: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.problems = problems or (message,)
        """Every problem found, one line each."""
