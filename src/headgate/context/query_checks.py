"""Whether the declared queries only read, as their databases see it: before a server starts."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import msgspec

from headgate.config.connectors import ConnectorSettings, SqlConnectorSettings
from headgate.config.yaml_file import YamlFile
from headgate.context.connectors import connector_of


class Finding(msgspec.Struct, frozen=True):
    """What a database says of a query."""

    message: str
    """With file, line and field."""
    refused: bool
    """Whether it must not stay so; else the query can't be answered as the database is now."""


def query_findings(
    connectors: Mapping[str, ConnectorSettings],
    file: Path,
    *,
    ask_servers: bool,
) -> list[Finding]:
    """What databases that can be asked say of the queries of `file`, a `headgate.yaml`.

    SQLite's are files of this machine; others are asked where `ask_servers`. What can't be reached
    says nothing. It blocks.
    """
    found = []
    document: YamlFile | None = None
    for name, connector in connectors.items():
        kind = connector.kind
        if not isinstance(kind, SqlConnectorSettings):
            continue
        if not ask_servers and not kind.url.startswith("sqlite:"):
            continue
        made = connector_of(connector, file.parent)
        for operation, message, refused in made.check():
            document = document or YamlFile.read(file)
            told = document.error(
                message, "connectors", name, "sql", "operations", operation, "query"
            )
            found.append(Finding(told.message, refused))
        made.discard()
    return found
