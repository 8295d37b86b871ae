"""Whether what is written of an MCP server makes sense: where it is, and what it is told."""

from __future__ import annotations

import re

from headgate.config.address import address_problem
from headgate.config.services import check_headers
from headgate.config.tools import McpToolSource
from headgate.config.yaml_file import YamlFile

_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_OF_THE_PROTOCOL = re.compile(r"mcp-.*|accept|last-event-id", re.IGNORECASE)


def check_mcp(document: YamlFile, source: McpToolSource, *steps: str | int) -> None:
    """`ConfigError` with file, line and field for what makes no sense."""
    if source.url is not None:
        if source.command:
            raise document.error("write one of `url` and `command`, not both", *steps, "command")
        if source.environment:
            raise document.error("is for a `command`; leave it out", *steps, "environment")
        _check_url(document, source.url, *steps, "url")
        check_headers(document, source.headers, *steps, "headers")
        for name in source.headers:
            if _OF_THE_PROTOCOL.fullmatch(name):
                raise document.error("is no header that can be set", *steps, "headers", name)
        return
    if not source.command:
        raise document.error("write one of `url` and `command`", *steps)
    if source.headers:
        raise document.error(
            "is for a `url`; a `command` takes secrets from `environment`", *steps, "headers"
        )
    if not source.command[0]:
        raise document.error("say which program: its name or path", *steps, "command", 0)
    for index, word in enumerate(source.command):
        if "\0" in word:
            raise document.error("has a character that can't be passed", *steps, "command", index)
    for name, value in source.environment.items():
        if not _VARIABLE.fullmatch(name):
            raise document.error("is no variable's name", *steps, "environment", name)
        if "\0" in value:
            raise document.error(
                "has a character that can't be passed", *steps, "environment", name
            )


def _check_url(document: YamlFile, url: str, *steps: str | int) -> None:
    address, _, query = url.partition("?")
    if (problem := address_problem(address)) is not None:
        raise document.error(problem, *steps)
    if not re.fullmatch(r"[!-~]*", address + query) or "#" in query:
        raise document.error("has characters that must be percent-encoded", *steps)
