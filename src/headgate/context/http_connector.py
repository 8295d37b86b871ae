"""A connector to a service that speaks HTTP and JSON."""

from __future__ import annotations

import codecs
from collections.abc import Mapping
from typing import Any

import msgspec

from headgate.config.checks.connectors import filled, placeholders, whole_placeholder
from headgate.config.connectors import HttpConnectorSettings, HttpOperationSettings
from headgate.context.connector import (
    Argument,
    ArgumentError,
    Arguments,
    ConnectorError,
    NoRecordError,
)
from headgate.context.places import MISSING, value_at
from headgate.context.service import ServiceClient, ServiceError, path_segment
from headgate.gateway.endpoints.endpoint import UNREADABLE

_GONE = frozenset({204, 404, 410})
"""How a service says that it has no such record."""

_LATER = frozenset({408, 425, 429, 500, 502, 503, 504})
"""How it says that it can't answer now."""

_FIELDS_AT_MOST = 1000
"""Of one record; one with more is none of a business's."""


class HttpConnector:
    """See `Connector`."""

    def __init__(self, settings: HttpConnectorSettings) -> None:
        """`settings` have been checked."""
        self._settings = settings
        self._service: ServiceClient | None = None

    async def records(self, operation: str, arguments: Arguments) -> list[dict[str, Any]]:
        """See `Connector`."""
        settings = self._settings.operations[operation]
        if self._service is None:
            self._service = ServiceClient(self._settings)
        try:
            reply = await self._service.send(
                settings.method,
                target(settings.path, arguments),
                query=[
                    (name, filled(text, _as_texts(text, arguments)))
                    for name, text in settings.query.items()
                ],
                body=None
                if settings.body is None
                else msgspec.json.encode(_body(settings.body, arguments)),
            )
        except ServiceError as error:
            if error.kind == "too_large":
                limit = f"`max_answer_bytes`, {self._settings.max_answer_bytes:,}"
                raise ConnectorError(f"the service's answer is larger than {limit}") from None
            raise ConnectorError(str(error), retryable=True) from None
        _check_status(reply.status)
        try:
            answer = msgspec.json.decode(reply.body.removeprefix(codecs.BOM_UTF8))
        except UNREADABLE:
            raise ConnectorError("the service's answer is not JSON") from None
        return _records(answer, settings)

    def check(self) -> list[tuple[str, str, bool]]:
        """See `Connector`; a service can't tell without being asked."""
        return []

    def discard(self) -> None:
        """See `Connector`; it holds nothing before it is asked."""

    async def close(self) -> None:
        """See `Connector`."""
        if self._service is not None:
            await self._service.close()


def target(path: str, arguments: Arguments) -> str:
    """`path` with its arguments, each as what it is: one segment, or a part of one.

    Raises `ArgumentError`.
    """
    values = {}
    for name in placeholders(path):
        try:
            values[name] = path_segment(_as_text(arguments[name]))
        except ValueError as error:
            raise ArgumentError(name, str(error)) from None
    return filled(path, values)


def _as_texts(text: str, arguments: Arguments) -> dict[str, str]:
    return {name: _as_text(arguments[name]) for name in placeholders(text)}


def _as_text(value: Argument) -> str:
    """A value as addresses hold it."""
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


def _body(template: Any, arguments: Arguments) -> Any:
    """A body with its arguments in the places that are theirs as a whole."""
    if isinstance(template, dict):
        return {name: _body(inner, arguments) for name, inner in template.items()}
    if isinstance(template, list):
        return [_body(inner, arguments) for inner in template]
    if isinstance(template, str) and (name := whole_placeholder(template)) is not None:
        return arguments[name]
    return template


def _check_status(status: int) -> None:
    if status in _GONE:
        raise NoRecordError("there is no such record")
    if 300 <= status < 400:
        raise ConnectorError(
            f"the service answered {status}: it leads elsewhere, and redirects are not followed"
        )
    if status in (401, 403):
        raise ConnectorError(f"the service answered {status}: look at the connector's headers")
    if status != 200:
        raise ConnectorError(f"the service answered {status}", retryable=status in _LATER)


def _records(answer: Any, settings: HttpOperationSettings) -> list[dict[str, Any]]:
    found = value_at(settings.at, answer)
    where = f"at `{settings.at}`" if settings.at else "as its answer"
    if found is MISSING:
        raise ConnectorError(f"the service's answer has nothing {where}")
    if settings.many is None:
        if found is None:
            raise NoRecordError("there is no such record")
        found = [found] if isinstance(found, dict) else found
    if not isinstance(found, list):
        kind = "list" if settings.many is not None else "record"
        raise ConnectorError(f"the service gave no {kind} {where}")
    at_most = (settings.many or 1) + 1
    return [_object(one, number) for number, one in enumerate(found[:at_most])]


def _object(one: Any, number: int) -> dict[str, Any]:
    if not isinstance(one, Mapping) or len(one) > _FIELDS_AT_MOST:
        raise ConnectorError(f"the record [{number}] is no object")
    return dict(one)
