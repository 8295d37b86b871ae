"""The connectors of a server; the only place that knows all kinds."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path

from headgate.config.connectors import (
    ConnectorSettings,
    HttpConnectorSettings,
    OperationSettings,
    operation_of,
)
from headgate.context.connector import (
    ArgumentError,
    Arguments,
    Connector,
    ConnectorError,
    NoRecordError,
)
from headgate.context.http_connector import HttpConnector
from headgate.context.narrowing import Narrowed, narrowed

_AT_ONCE_AT_MOST = 64
"""Operations under way in one process; others wait their turn, within their own time."""

_ATTEMPTS = 2
_PAUSE_S = 0.15


class Connectors:
    """Asks connectors by name; each is made when it is asked first."""

    def __init__(
        self, settings: Mapping[str, ConnectorSettings], folder: Path | None = None
    ) -> None:
        """`settings` have been checked; files are named from `folder`, the project's, on."""
        self._settings = dict(settings)
        self._folder = folder or Path.cwd()
        self._made: dict[str, Connector] = {}
        self._turns = asyncio.Semaphore(_AT_ONCE_AT_MOST)

    async def ask(
        self,
        source: str,
        arguments: Arguments,
        fields: Sequence[str] | None,
        timeout_s: float,
    ) -> Narrowed:
        """What the operation `source` gives, of it `fields`, within `timeout_s`.

        What may go well later is tried once more. Raises `ConnectorError`.
        """
        operation = operation_of(self._settings, source)
        if operation is None:
            raise ConnectorError(f"there is no operation `{source}`")
        try:
            async with asyncio.timeout(timeout_s), self._turns:
                return await self._asked(source, operation, arguments, fields)
        except TimeoutError:
            raise ConnectorError(
                f"there was no answer within {timeout_s:g} s", retryable=True
            ) from None

    async def close(self) -> None:
        """Let go of all connections."""
        for connector in self._made.values():
            await connector.close()
        self._made.clear()

    async def _asked(
        self,
        source: str,
        operation: OperationSettings,
        arguments: Arguments,
        fields: Sequence[str] | None,
    ) -> Narrowed:
        name, _, asked = source.partition(".")
        connector = self._connector(name)
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                return narrowed(await connector.records(asked, arguments), operation, fields)
            except (ArgumentError, NoRecordError):
                raise
            except ConnectorError as error:
                if attempt == _ATTEMPTS or not error.retryable:
                    raise
            await asyncio.sleep(_PAUSE_S)
        raise AssertionError("the last attempt returns or raises")

    def _connector(self, name: str) -> Connector:
        if name not in self._made:
            self._made[name] = connector_of(self._settings[name], self._folder)
        return self._made[name]


def connector_of(settings: ConnectorSettings, folder: Path) -> Connector:
    """The connector that `settings` declare; nothing is connected yet."""
    kind = settings.kind
    if isinstance(kind, HttpConnectorSettings):
        return HttpConnector(kind)
    # Half of what a database needs to be asked is loaded only where one is declared.
    from headgate.context.sql_connector import SqlConnector  # noqa: PLC0415 - so

    return SqlConnector(kind, folder)
