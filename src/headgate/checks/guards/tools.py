"""The guard that takes tools away while text is there that the operator doesn't vouch for.

It doesn't ask whether a text is an attack. A tool that a call may not use is not shown to the
model, and an answer that asks for it all the same is blocked.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from headgate.checks.guards.doubtful import trust_of
from headgate.checks.guards.guard import BlockedError, Guard, Guarded, OutputFilter
from headgate.checks.guards.verdict import PASS, Verdict
from headgate.checks.injection.rights import ToolRights, rights
from headgate.checks.parts.part import Part
from headgate.config.guards import Direction

_ASKED_FOR = ("function.name", "].name", "item.name")
"""Where an answer names the tool that it asks for."""


class ToolsGuard(Guard):
    """Withholds tools."""

    def __init__(self, name: str, tools: Sequence[ToolRights], **common: Any) -> None:
        super().__init__(name, **common)
        self._tools = {tool.name: tool for tool in tools}

    def must_see(self, part: Part, direction: Direction, call: Guarded) -> bool:  # noqa: ARG002
        """See `Guard`; it goes by who made a part, not by what it says."""
        return False

    async def check_input(self, parts: Sequence[Part], call: Guarded) -> Verdict:
        """See `Guard`."""
        if call.kept_as_data:
            return PASS
        call.trusts |= {trust for part in parts if (trust := trust_of(part, call)) is not None}
        offered = list(_tools_of(call.fields))
        asked = [self._tools.get(name, ToolRights(name)) for name in dict.fromkeys(offered)]
        withheld = {one.name for one in rights(asked, call.trusts).withheld}
        if not withheld:
            return PASS
        call.withheld |= withheld
        call.fields["tools"] = [
            tool for tool in call.fields["tools"] if _name(tool) not in withheld
        ]
        call.rewritten.add("tools")
        if not call.fields["tools"]:
            # No tool is left to choose from, and a provider refuses an empty list.
            for field in ("tools", "tool_choice", "parallel_tool_calls"):
                if call.fields.pop(field, None) is not None:
                    call.rewritten.add(field)
        return Verdict("change", reason="tools withheld", counts={"tools": len(withheld)})

    async def check_output(self, parts: Sequence[Part], call: Guarded) -> Verdict:
        """See `Guard`."""
        if any(_asks_for(part, call) for part in parts):
            return _REFUSED
        return PASS

    def reads_streams(self, call: Guarded) -> bool:
        """See `Guard`."""
        return bool(call.withheld)

    def output_filter(self, part: Part, call: Guarded) -> OutputFilter | None:
        """See `Guard`."""
        if call.withheld and part.path.endswith("name"):
            return _Names(self.name, call)
        return None


_REFUSED = Verdict("block", reason="a tool that was withheld was asked for", counts={"tools": 1})


class _Names(OutputFilter):
    """Holds the name of a tool back until it is whole."""

    def __init__(self, guard: str, call: Guarded) -> None:
        self._guard = guard
        self._call = call
        self._name = ""

    def feed(self, text: str) -> str:
        """See `TextFilter`; a name comes in one piece, or is looked at as far as it came."""
        self._name += text
        if self._name in self._call.withheld:
            raise BlockedError(self._guard, _REFUSED)
        return text

    def close(self) -> str:
        """See `TextFilter`."""
        return ""


def _asks_for(part: Part, call: Guarded) -> bool:
    named = part.kind == "text" and part.path.endswith(_ASKED_FOR) and part.role == "model"
    return named and part.text in call.withheld


def _tools_of(fields: dict[str, Any]) -> Iterator[str]:
    tools = fields.get("tools")
    for tool in tools if isinstance(tools, list) else ():
        name = _name(tool)
        if name is not None:
            yield name


def _name(tool: Any) -> str | None:
    """What a tool is called; one that the provider runs itself by its type."""
    if not isinstance(tool, dict):
        return None
    function = tool.get("function")
    name = function.get("name") if isinstance(function, dict) else tool.get("name")
    name = name if isinstance(name, str) else tool.get("type")
    return name if isinstance(name, str) else None
