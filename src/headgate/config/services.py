"""A service of the operator's own that speaks HTTP: where it is, and what it is told each time.

Connectors read from such services, tools act on them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated

from msgspec import Meta

from headgate.config.address import address_problem
from headgate.config.table import Seconds, Table
from headgate.config.yaml_file import YamlFile

_HEADER_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_HEADER_VALUE = re.compile(r"[\x20-\x7e]*")
_OURS = frozenset(
    ["host", "content-length", "transfer-encoding", "connection", "content-type", "accept-encoding"]
)
"""Headers that the client writes by itself."""


class HttpServiceSettings(Table, frozen=True):
    """An HTTP service."""

    base_url: Annotated[
        str, Meta(max_length=2000, description="What every path begins with; no user, no query.")
    ]
    headers: Annotated[
        dict[str, str],
        Meta(
            max_length=50,
            description="Sent with each request, such as a token: write `${NAME}` to take it from"
            " the environment.",
        ),
    ] = {}
    timeout_s: Annotated[
        Seconds, Meta(description="For one request, from its start to its end.")
    ] = 10.0
    max_answer_bytes: Annotated[
        int, Meta(ge=64, le=16 * 1024 * 1024, description="Largest answer that is read.")
    ] = 256 * 1024


def check_service(document: YamlFile, service: HttpServiceSettings, *steps: str | int) -> None:
    """`ConfigError` where the address or a header can't be what it stands for."""
    if (problem := address_problem(service.base_url)) is not None:
        raise document.error(problem, *steps, "base_url")
    check_headers(document, service.headers, *steps, "headers")


def check_headers(document: YamlFile, headers: Mapping[str, str], *steps: str | int) -> None:
    """`ConfigError` where one can't be set, or can't have its value."""
    for name, value in headers.items():
        if not can_be_set(name):
            raise document.error("is no header that can be set", *steps, name)
        if not _HEADER_VALUE.fullmatch(value):
            # Not quoted: it may be a secret.
            raise document.error("has characters that a header can't carry", *steps, name)


def can_be_set(header: str) -> bool:
    """Whether it is a header's name, and none of those that the client writes by itself."""
    return bool(_HEADER_NAME.fullmatch(header)) and header.lower() not in _OURS
