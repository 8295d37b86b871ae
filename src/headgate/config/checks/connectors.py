"""Whether what is written of connectors makes sense: addresses, places, arguments, queries."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from headgate.config.connectors import (
    ConnectorSettings,
    HttpConnectorSettings,
    HttpOperationSettings,
    OperationSettings,
    SqlConnectorSettings,
    SqlOperationSettings,
    field_settings,
)
from headgate.config.services import check_service
from headgate.config.yaml_file import YamlFile

_PLACEHOLDER = re.compile(r"\{([a-z][a-z0-9_]{0,62})\}")
_BRACE = re.compile(r"[{}]")
_PATH_LETTERS = re.compile(r"[A-Za-z0-9/_.~!$&'()*+,;=:@{}%-]+")
_PLACE = re.compile(r"[\w-]+(\.[\w-]+)*")
_SELECTS = re.compile(
    r"(?:\s|--[^\n]*\n|/\*.*?\*/|\()*(?:select|with)\b", re.IGNORECASE | re.DOTALL
)
_SCHEMES = ("sqlite", "postgresql", "postgres")


def check_connectors(document: YamlFile, connectors: Mapping[str, ConnectorSettings]) -> None:
    """`ConfigError` with file, line and field for what makes no sense."""
    for name, connector in connectors.items():
        at = ("connectors", name)
        if (connector.http is None) is (connector.sql is None):
            raise document.error("write exactly one of http, sql", *at)
        if connector.http is not None:
            _check_http(document, connector.http, *at, "http")
        if connector.sql is not None:
            _check_sql(document, connector.sql, *at, "sql")
        for operation_name, operation in connector.kind.operations.items():
            where = (*at, connector.kind_name, "operations", operation_name)
            _check_fields(document, operation, *where)


def parameters_of(operation: OperationSettings) -> tuple[str, ...]:
    """The arguments that an operation needs, each once, in order."""
    if isinstance(operation, SqlOperationSettings):
        import sqlalchemy as sa  # noqa: PLC0415 - a file without queries needs no database

        return tuple(sa.text(operation.query).compile().params)
    if isinstance(operation, HttpOperationSettings):
        texts = [operation.path, *operation.query.values(), *_texts(operation.body)]
        found = (name for text in texts for name in placeholders(text))
        return tuple(dict.fromkeys(found))
    return ()


def placeholders(text: str) -> list[str]:
    """The arguments that a text of an HTTP operation has places for."""
    return _PLACEHOLDER.findall(text)


def filled(text: str, values: Mapping[str, str]) -> str:
    """`text` with its places filled, in one go: what a value holds is no place."""
    return _PLACEHOLDER.sub(lambda found: values[found[1]], text)


def whole_placeholder(text: str) -> str | None:
    """The argument that a text stands for as a whole."""
    found = _PLACEHOLDER.fullmatch(text)
    return None if found is None else found[1]


def _check_http(document: YamlFile, connector: HttpConnectorSettings, *at: str | int) -> None:
    check_service(document, connector, *at)
    for name, operation in connector.operations.items():
        where = (*at, "operations", name)
        segments = operation.path.split("/")
        if not _PATH_LETTERS.fullmatch(operation.path) or {".", ".."} & {*segments}:
            raise document.error(
                "write a path without query and dots, percent-encoded where that is needed",
                *where, "path",
            )  # fmt: skip
        if _BRACE.search(_PLACEHOLDER.sub("", operation.path)):
            raise document.error("write an argument as `{account_id}`", *where, "path")
        if operation.body is not None and operation.method != "POST":
            raise document.error("goes with `method: POST`", *where, "body")
        for text in _texts(operation.body):
            if placeholders(text) and whole_placeholder(text) is None:
                raise document.error(
                    "a text with an argument is the argument and nothing else", *where, "body"
                )
        if operation.at and not _PLACE.fullmatch(operation.at):
            raise document.error("is no place in an answer; write `data.account`", *where, "at")


def _check_sql(document: YamlFile, connector: SqlConnectorSettings, *at: str | int) -> None:
    import sqlalchemy as sa  # noqa: PLC0415 - as above

    scheme, slashes, rest = connector.url.partition("://")
    if not slashes or scheme not in _SCHEMES:
        raise document.error("write sqlite:///PATH or postgresql://…", *at, "url")
    if scheme == "sqlite" and (not rest.startswith("/") or rest in ("/", "/:memory:")):
        raise document.error("must name a file: sqlite:///PATH", *at, "url")
    try:
        sa.make_url(connector.url)
    except sa.exc.ArgumentError:
        # Not quoted: it may hold a password.
        raise document.error("is no database's URL", *at, "url") from None
    for name, operation in connector.operations.items():
        where = (*at, "operations", name, "query")
        if not _SELECTS.match(operation.query):
            raise document.error("must be one SELECT, or WITH … SELECT", *where)
        if ";" in operation.query.rstrip().rstrip(";"):
            raise document.error(
                "holds a `;`: write one statement; in a text, write char(59) or chr(59)", *where
            )


def _check_fields(document: YamlFile, operation: OperationSettings, *at: str | int) -> None:
    of_columns = isinstance(operation, SqlOperationSettings)
    for name, field in operation.fields.items():
        place = field_settings(field).at
        if place is None:
            continue
        if of_columns:
            raise document.error(
                "a column is named by its field; write `AS` in the query",
                *at, "fields", name, "at",
            )  # fmt: skip
        if not _PLACE.fullmatch(place):
            raise document.error(
                "is no place in a record; write `owner.email`", *at, "fields", name, "at"
            )
    if operation.many is None and operation.beyond != "fail":
        raise document.error("goes with `many`", *at, "beyond")


def _texts(value: Any) -> Iterator[str]:
    """The texts in a body."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for inner in value.values():
            yield from _texts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _texts(inner)
