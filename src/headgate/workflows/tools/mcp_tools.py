"""Tools of MCP servers: those that the operator named, as the server describes them.

The client is Headgate's own (`mcp/`); decision 49 says why. What it may lose on the way is told
apart with care: only what certainly did nothing has `failed`.
"""

from __future__ import annotations

import asyncio
from typing import Any
from urllib.parse import urlsplit

from headgate.config.tools import McpToolSource
from headgate.telemetry.faults import log_fault
from headgate.workflows.tools.mcp.answers import answer_of
from headgate.workflows.tools.mcp.listing import Listing, digest_of
from headgate.workflows.tools.mcp.session import McpSession
from headgate.workflows.tools.mcp.wire import LostError, RefusedError, Request, SessionGoneError
from headgate.workflows.tools.tool import (
    Sent,
    Tool,
    ToolAnswer,
    ToolCall,
    ToolSpec,
    ToolUnavailableError,
)

__all__ = ["digest_of", "mcp_tools", "server_shown"]


def mcp_tools(name: str, source: McpToolSource) -> dict[str, Tool]:
    """The tools of the source called `name`; no more than those that `source` gives.

    They share one session, which the first use opens and the last `close` closes.
    """
    shared = _Shared(McpSession(source), len(source.tools))
    return {tool: McpTool(name, tool, source, shared) for tool in source.tools}


class _Shared:
    """A session, and how many tools still need it."""

    def __init__(self, session: McpSession, users: int) -> None:
        self.session = session
        self._users = users

    async def leave(self) -> None:
        self._users -= 1
        if self._users == 0:
            await self.session.close()


class McpTool:
    """One tool of an MCP server; see `Tool`."""

    def __init__(self, source_name: str, tool: str, source: McpToolSource, shared: _Shared) -> None:
        self._name = f"{source_name}/{tool}"
        self._tool = tool
        self._source = source
        self._pinned = source.tools[tool].sha256
        self._shared: _Shared | None = shared
        self._session = shared.session

    @property
    def known(self) -> ToolSpec | None:
        """Only the server knows."""
        return None

    async def spec(self) -> ToolSpec:
        """What the server says of it, without invisible characters."""
        try:
            # Both parts have this limit of their own; here also the wait for others' turns.
            async with asyncio.timeout(3 * self._source.connect_s):
                return self._checked(await self._session.listing())
        except (LostError, RefusedError) as error:
            raise ToolUnavailableError(f"{self._name}: {error.message}") from None
        except TimeoutError:
            raise ToolUnavailableError(f"{self._name}: the server is too slow") from None

    def sent(self, arguments: dict[str, Any], key: str) -> Sent:
        """What `call` would send: all of it but the headers' values and the protocol's own."""
        server = server_shown(self._source)
        details: dict[str, Any] = {
            "server": server,
            "tool": self._tool,
            "arguments": arguments,
            "_meta": {"headgate/idempotency-key": key},
        }
        if self._source.headers:
            details["headers"] = sorted(self._source.headers)
        return Sent(f"{self._tool} of the MCP server {server}", details)

    async def call(self, arguments: dict[str, Any], call: ToolCall) -> ToolAnswer:
        """Send it once; again only where the server said that it has not read it."""
        request: Request | None = None

        def under_way(made: Request) -> None:
            nonlocal request
            request = made

        def arrived() -> bool:
            return request is not None and request.sent

        try:
            async with asyncio.timeout(call.timeout_s):
                for _ in range(3):
                    request = None
                    try:
                        # What the server is now may not be what it was when the model was told.
                        listing = await self._session.listing()
                        self._checked(listing)
                        result = await self._session.call(
                            self._tool, arguments, call, listing=listing, under_way=under_way
                        )
                    except SessionGoneError:
                        continue
                    return answer_of(result, self._source.max_answer_bytes)
            return _failed("the server forgets its sessions", "session")
        except ToolUnavailableError as error:
            return _failed(error.message, "tool_unavailable")
        except RefusedError as error:
            text = f"the server answered with error {error.code}: {error.message}"
            open_ended = arrived() and not error.never_done
            return _none(text, f"mcp_{error.code}", open_ended=open_ended)
        except LostError as error:
            open_ended = arrived() and error.may_have_arrived
            return _none(error.message, error.code, open_ended=open_ended)
        except TimeoutError:
            text = f"no answer within {call.timeout_s:g} s"
            return _none(text, "timeout", open_ended=arrived())
        except Exception as fault:  # noqa: BLE001 - a tool raises nothing
            log_fault("a tool of an MCP server could not be called", fault)
            text = "the call failed inside Headgate"
            return _none(text, "internal_error", open_ended=arrived())

    async def close(self) -> None:
        """Leave the session; the last tool closes it."""
        shared, self._shared = self._shared, None
        if shared is not None:
            await shared.leave()

    def _checked(self, listing: Listing) -> ToolSpec:
        """The spec out of `listing`, if it is the one that somebody looked at."""
        problem = listing.problems.get(self._tool)
        spec = listing.specs.get(self._tool)
        if problem is not None:
            raise ToolUnavailableError(f"{self._name}: {problem}")
        if spec is None:
            others = ", ".join(listing.others) or "nothing else"
            raise ToolUnavailableError(
                f"{self._name}: the server has no such tool; it has {others}"
            )
        if self._pinned is not None and digest_of(self._tool, spec) != self._pinned:
            raise ToolUnavailableError(
                f"{self._name}: the server has changed the tool's description or schema;"
                " look at it with `headgate check --tools`, and write its new sha256 if it is right"
            )
        return spec


def server_shown(source: McpToolSource) -> str:
    """Where a source is, without what may be a secret: a URL's query, a command's arguments."""
    if source.url is not None:
        parts = urlsplit(source.url)
        return f"{parts.scheme}://{parts.netloc}{parts.path}"
    return f"`{source.command[0]}{' …' if len(source.command) > 1 else ''}`"


def _failed(text: str, code: str) -> ToolAnswer:
    return ToolAnswer(outcome="failed", content=text, code=code)


def _none(text: str, code: str, *, open_ended: bool) -> ToolAnswer:
    """No result: `open_ended` where the server may have done it all the same."""
    if not open_ended:
        return _failed(text, code)
    text += "; it may have been done all the same"
    return ToolAnswer(outcome="unknown", content=text, code=code)
