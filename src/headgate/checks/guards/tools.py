"""The guard that takes tools away while text is there that the operator doesn't vouch for.

It doesn't ask whether a text is an attack. A tool that a call may not use is not shown to the
model, and an answer that asks for it all the same is blocked.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import msgspec

from headgate.checks.guards.doubtful import trust_of
from headgate.checks.guards.guard import BlockedError, Guard, Guarded, OutputFilter
from headgate.checks.guards.verdict import PASS, Verdict
from headgate.checks.injection.rights import ToolRights, rights
from headgate.checks.parts.part import Part
from headgate.config.guards import Direction

_ASKED_FOR = ("function.name", "custom.name", "function_call.name", "].name", "item.name")
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
        lists = list(_lists_in(call.fields))
        offered = [name for one in lists for name in map(_name, one.tools) if name]
        asked = [self._tools.get(name, ToolRights(name)) for name in dict.fromkeys(offered)]
        withheld = {one.name for one in rights(asked, call.trusts).withheld}
        if not withheld:
            return PASS
        call.withheld |= withheld
        for one in lists:
            left = _without(one.tools, withheld)
            if len(left) < len(one.tools):
                one.holder[one.key] = left
                call.rewritten.add(one.field)
        _choose_of_the_rest(call, withheld)
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


class _List(msgspec.Struct, frozen=True):
    """A list of tools that a request offers to the model."""

    field: str
    holder: dict[str, Any]
    key: str

    @property
    def tools(self) -> list[Any]:
        tools: list[Any] = self.holder[self.key]
        return tools


def _lists_in(fields: dict[str, Any]) -> Iterator[_List]:
    for name in ("tools", "functions"):
        if isinstance(fields.get(name), list):
            yield _List(name, fields, name)
    asked = fields.get("input")
    for item in asked if isinstance(asked, list) else ():
        # Tools that a model found by searching come with the conversation.
        if isinstance(item, dict) and isinstance(item.get("tools"), list):
            yield _List("input", item, "tools")


def _choose_of_the_rest(call: Guarded, withheld: set[str]) -> None:
    """Take out what a provider would refuse by now: empty lists, and choices of what is gone."""
    fields = call.fields
    gone: list[str] = []
    for name, chosen_by in _CHOSEN_BY.items():
        if fields.get(name) == []:
            gone += (name, *chosen_by)
    for name in ("tool_choice", "function_call"):
        choice = fields.get(name)
        if not isinstance(choice, dict):
            continue
        holder = choice.get("allowed_tools", choice)
        allowed = holder.get("tools") if isinstance(holder, dict) else None
        if isinstance(allowed, list):
            holder["tools"] = allowed = _without(allowed, withheld)
            call.rewritten.add(name)
        if allowed == [] or _name(choice) in withheld:
            gone.append(name)
    for name in gone:
        if fields.pop(name, None) is not None:
            call.rewritten.add(name)


_CHOSEN_BY = {
    "tools": ("tool_choice", "parallel_tool_calls"),
    "functions": ("function_call",),
}


def _without(tools: list[Any], withheld: set[str]) -> list[Any]:
    return [tool for tool in tools if _name(tool) not in withheld]


def _name(tool: Any) -> str | None:
    """What a tool is called; one that the provider runs itself by its type."""
    if not isinstance(tool, dict):
        return None
    kind = tool.get("type", "function")
    holder = tool.get(kind) if isinstance(kind, str) else None
    name = holder.get("name") if isinstance(holder, dict) else tool.get("name")
    name = name if isinstance(name, str) else kind
    return name if isinstance(name, str) else None
