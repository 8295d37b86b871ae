"""Faults as a user writes them, such as `429;retry-after=2 first, cut;after=3 every=5`.

    faults  = planned *( "," planned )
    planned = name *( ";" key "=" value ) [ " " when ]
    when    = "always" / "first" [ "=" N ] / "once" [ "=" N ] / "every" "=" N / "rate" "=" P

docs/how-to/simulator.md lists the names and their keys.
"""

from __future__ import annotations

from collections.abc import Callable

from headgate.simulator.faults.fault import (
    AnswerFault,
    BreakFault,
    DelayFault,
    ErrorFault,
    Fault,
    PlannedFault,
    When,
)

MAX_FAULTS = 20
"""How many faults one text may plan."""

MAX_WAIT_S = 3_600.0
"""The longest delay or stall."""

_SERVER_ERROR = "The server had an error while processing your request. Sorry about that!"
_STATUSES: dict[int, tuple[str, str | None, str]] = {
    400: ("invalid_request_error", None, "Your request was malformed."),
    401: (
        "invalid_request_error",
        "invalid_api_key",
        "Incorrect API key provided. You can find your API key in your account's settings.",
    ),
    403: (
        "invalid_request_error",
        "unsupported_country_region_territory",
        "Country, region, or territory not supported.",
    ),
    404: ("invalid_request_error", "not_found", "The requested resource was not found."),
    408: ("server_error", "request_timeout", "The request timed out."),
    409: ("invalid_request_error", "conflict", "The resource was changed by another request."),
    413: ("invalid_request_error", "request_too_large", "The request is too large."),
    422: ("invalid_request_error", "unprocessable_entity", "The request could not be processed."),
    429: (
        "requests",
        "rate_limit_exceeded",
        "Rate limit reached for requests. Please try again later.",
    ),
    500: ("server_error", None, _SERVER_ERROR),
    503: (
        "server_error",
        "service_unavailable",
        "The server is currently overloaded with other requests. Please retry your request.",
    ),
}
_PAGES = frozenset((502, 504, 520, 521, 522, 523, 524))
_RETRY_KEYS = frozenset(("retry-after", "retry-after-ms", "should-retry"))


class FaultSyntaxError(ValueError):
    """A fault isn't written as the grammar wants it; the message names the part."""


def parse_faults(text: str) -> tuple[PlannedFault, ...]:
    """The faults that `text` plans; none for an empty one or `none`."""
    if text.strip() in ("", "none"):
        return ()
    parts = text.split(",")
    if len(parts) > MAX_FAULTS:
        raise FaultSyntaxError(f"over {MAX_FAULTS} faults")
    return tuple(_planned(part.strip()) for part in parts)


def _planned(written: str) -> PlannedFault:
    words = written.split()
    if not words or len(words) > 2:
        raise FaultSyntaxError(
            f"fault {written!r}: write NAME;key=value WHEN, such as '429;retry-after=2 first'"
        )
    name, *options = words[0].split(";")
    values = {}
    for option in options:
        key, equals, value = option.partition("=")
        if not equals:
            raise FaultSyntaxError(f"fault {written!r}: {option!r} should be key=value")
        values[key] = value
    fault = _fault(name, _Options(written, values))
    return PlannedFault(written, fault, _when(written, words[1] if len(words) > 1 else "always"))


class _Options:
    """The keys written after a fault's name, each of which must be known and right."""

    def __init__(self, written: str, values: dict[str, str]) -> None:
        self._written = written
        self.values = values

    def only(self, *keys: str) -> None:
        for key in self.values:
            if key not in keys:
                known = ", ".join(keys) or "none"
                raise FaultSyntaxError(f"fault {self._written!r}: unknown key {key!r} ({known})")

    def seconds(self, key: str, default: float) -> float:
        value = self._number(key, default)
        if not 0 <= value <= MAX_WAIT_S:
            raise FaultSyntaxError(f"fault {self._written!r}: {key} must be 0 to {MAX_WAIT_S:g}")
        return value

    def count(self, key: str, default: int) -> int:
        value = self._number(key, default)
        if value != int(value) or value < 0:
            raise FaultSyntaxError(f"fault {self._written!r}: {key} must be a whole number")
        return int(value)

    def _number(self, key: str, default: float) -> float:
        try:
            return float(self.values.get(key, default))
        except ValueError:
            raise FaultSyntaxError(f"fault {self._written!r}: {key} must be a number") from None

    def unknown(self) -> FaultSyntaxError:
        names = ", ".join(sorted(_NAMES))
        return FaultSyntaxError(f"fault {self._written!r}: no such fault; a status, or {names}")


def _fault(name: str, options: _Options) -> Fault:
    if name.isascii() and name.isdigit():
        return _status_fault(int(name), options)
    maker = _NAMES.get(name)
    if maker is None:
        raise options.unknown()
    return maker(options)


def _status_fault(status: int, options: _Options) -> ErrorFault:
    if not 400 <= status <= 599:
        raise options.unknown()
    options.only(*sorted(_RETRY_KEYS))
    fallback = ("invalid_request_error", None, "The request failed.")
    kind, code, message = _STATUSES.get(
        status, fallback if status < 500 else ("server_error", None, _SERVER_ERROR)
    )
    return ErrorFault(
        status=status,
        message=message,
        kind=kind,
        code=code,
        headers=_retry_headers(options),
        html=status in _PAGES,
    )


def _retry_headers(options: _Options) -> tuple[tuple[str, str], ...]:
    headers = []
    for key in sorted(_RETRY_KEYS & options.values.keys()):
        value = options.values[key]
        if key == "should-retry":
            if value not in ("true", "false"):
                raise FaultSyntaxError("should-retry must be true or false")
            headers.append(("x-should-retry", value))
        else:
            # A date is allowed in `retry-after`, so that it can be tried.
            headers.append((key, value.replace("_", " ")))
    return tuple(headers)


def _insufficient_quota(options: _Options) -> ErrorFault:
    options.only()
    return ErrorFault(
        status=429,
        message="You exceeded your current quota, please check your plan and billing details.",
        kind="insufficient_quota",
        code="insufficient_quota",
    )


def _context_length(options: _Options) -> ErrorFault:
    options.only()
    return ErrorFault(
        status=400,
        message="This model's maximum context length is 128000 tokens. However, your messages"
        " resulted in 128001 tokens. Please reduce the length of the messages.",
        kind="invalid_request_error",
        code="context_length_exceeded",
        param="messages",
    )


def _delay(options: _Options) -> DelayFault:
    options.only("s")
    return DelayFault(options.seconds("s", 3))


def _refusal(options: _Options) -> AnswerFault:
    options.only()
    return AnswerFault("refusal")


def _wrong_schema(options: _Options) -> AnswerFault:
    options.only()
    return AnswerFault("wrong-schema")


def _content_filter(options: _Options) -> AnswerFault:
    options.only()
    return AnswerFault("content-filter")


def _length(options: _Options) -> AnswerFault:
    options.only()
    return AnswerFault("length")


def _stall(options: _Options) -> BreakFault:
    options.only("after", "s")
    return BreakFault("stall", options.count("after", 1), options.seconds("s", 600))


def _cut(options: _Options) -> BreakFault:
    options.only("after")
    return BreakFault("cut", options.count("after", 1), 0)


def _reset(options: _Options) -> BreakFault:
    options.only("after")
    return BreakFault("reset", options.count("after", 0), 0)


def _malformed(options: _Options) -> BreakFault:
    options.only("after")
    return BreakFault("malformed-json", options.count("after", 1), 0)


def _stream_error(options: _Options) -> BreakFault:
    options.only("after")
    return BreakFault("stream-error", options.count("after", 1), 0)


_NAMES: dict[str, Callable[[_Options], Fault]] = {
    "insufficient-quota": _insufficient_quota,
    "context-length": _context_length,
    "slow-first-byte": _delay,
    "refusal": _refusal,
    "wrong-schema": _wrong_schema,
    "content-filter": _content_filter,
    "length": _length,
    "stall": _stall,
    "cut": _cut,
    "reset": _reset,
    "malformed-json": _malformed,
    "stream-error": _stream_error,
}


def _when(written: str, text: str) -> When:
    rule, equals, value = text.partition("=")
    try:
        match rule:
            case "always" if not equals:
                return When()
            case "first" | "once" if not equals or int(value) >= 1:
                return When("first" if rule == "first" else "once", int(value) if equals else 1)
            case "every" if int(value) >= 1:
                return When("every", int(value))
            case "rate" if 0 <= float(value) <= 1:
                return When("rate", float(value))
            case _:
                pass
    except ValueError:
        pass
    raise FaultSyntaxError(
        f"fault {written!r}: {text!r} should be always, first=N, once=N, every=N or rate=P"
    )
