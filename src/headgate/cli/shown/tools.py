"""The tools that MCP servers have at this moment, and what pins each of them."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import msgspec

from headgate.cli.output import Column, note, print_table
from headgate.config.tools import McpToolSource, ToolSource

_SHOWN_CHARACTERS = 60


class ToolShown(msgspec.Struct, frozen=True):
    """A tool as its server describes it now."""

    name: str
    """`SOURCE/TOOL`."""
    sha256: str
    pinned: bool
    description: str
    parameters: dict[str, Any]
    """With the description, all that the model is told."""


def asked_tools(
    sources: Mapping[str, ToolSource],
) -> tuple[tuple[ToolShown, ...], tuple[str, ...]]:
    """The tools that `sources` give of MCP servers, and what is wrong with any of them."""
    mcp = {name: source for name, source in sources.items() if isinstance(source, McpToolSource)}
    if not mcp:
        note("tools: there is no source of kind mcp")
    return asyncio.run(_asked(mcp))


def print_tools(tools: tuple[ToolShown, ...]) -> None:
    """A line for each."""
    if tools:
        print_table(
            [Column("tool"), Column("sha256"), Column("pinned"), Column("says")],
            [
                [tool.name, tool.sha256, "yes" if tool.pinned else "no", _short(tool.description)]
                for tool in tools
            ],
        )


async def _asked(
    sources: Mapping[str, McpToolSource],
) -> tuple[tuple[ToolShown, ...], tuple[str, ...]]:
    found = await asyncio.gather(*(_of_one(name, source) for name, source in sources.items()))
    tools = (tool for tools, _ in found for tool in tools)
    return tuple(tools), tuple(problem for _, problems in found for problem in problems)


async def _of_one(name: str, source: McpToolSource) -> tuple[list[ToolShown], list[str]]:
    # Here, because every command pays for what is loaded above.
    from headgate.workflows.tools.mcp.listing import digest_of  # noqa: PLC0415
    from headgate.workflows.tools.mcp.session import McpSession  # noqa: PLC0415
    from headgate.workflows.tools.mcp.wire import LostError, RefusedError  # noqa: PLC0415

    # What a command writes to its standard error is for whoever sits here.
    session = McpSession(source, shows_errors=True)
    try:
        listing = await session.listing()
    except (LostError, RefusedError) as error:
        return [], [f"tools.{name}: {error.message}"]
    finally:
        await session.close()
    tools: list[ToolShown] = []
    problems: list[str] = []
    for tool, terms in source.tools.items():
        where = f"tools.{name}.tools.{tool}"
        if tool in listing.problems:
            problems.append(f"{where}: {listing.problems[tool]}")
        elif (spec := listing.specs.get(tool)) is None:
            others = ", ".join(listing.others) or "nothing else"
            problems.append(f"{where}: the server has no such tool; it has {others}")
        else:
            sha256, pinned = digest_of(tool, spec), terms.sha256 is not None
            tools.append(
                ToolShown(f"{name}/{tool}", sha256, pinned, spec.description, spec.parameters)
            )
            if pinned and terms.sha256 != sha256:
                problems.append(
                    f"{where}.sha256: the server has changed the tool; read with --json what it"
                    f" says of it now, and if that is right write {sha256}"
                )
    return tools, problems


def _short(description: str) -> str:
    line = " ".join(description.split())
    return line if len(line) <= _SHOWN_CHARACTERS else f"{line[: _SHOWN_CHARACTERS - 1]}…"
