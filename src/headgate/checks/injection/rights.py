"""Which tools a call may use, given whose text is in its context.

The strongest of the defences, since it doesn't ask whether a text is an attack: whoever may have
written a part of the context may as well hold the pen for every tool call. So what changes
anything, or carries data out, is withheld while text is there that the operator doesn't vouch for.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Final, Literal

import msgspec

Trust = Literal["operator", "user", "untrusted", "retrieved", "tool"]
"""Where a part of the context comes from.

`operator`: the instructions. `user`: a person who is trusted to ask. `untrusted`: input made by
anybody, such as a ticket. `retrieved`: passages that were found. `tool`: what a tool returned.
"""

Effect = Literal["read", "outward", "write", "unknown"]
"""What a tool can do.

`read`: it looks something up, inside. `outward`: it only reads, but its arguments leave the house,
as a web search's do. `write`: it changes something, or tells somebody. `unknown`: nobody said.
"""

DOUBTFUL: Final[frozenset[Trust]] = frozenset(("untrusted", "retrieved", "tool"))
"""Whose text may be an attacker's."""

HARMLESS: Final[frozenset[Effect]] = frozenset(("read",))
"""What stays allowed whoever's text is there."""


class ToolRights(msgspec.Struct, frozen=True):
    """A tool as its owner declared it."""

    name: str
    effect: Effect = "unknown"
    trusted_with: frozenset[Trust] = frozenset()
    """Doubtful text that may be there all the same, because the owner checked what can happen."""


class Withheld(msgspec.Struct, frozen=True):
    """A tool that a call may not use, and why."""

    name: str
    effect: Effect
    because_of: tuple[Trust, ...]
    """The kinds of text that are in the way, in the order of their names."""

    def __str__(self) -> str:
        return (
            f"{self.name} ({self.effect}) is withheld while {' and '.join(self.because_of)} text is"
            " in the context"
        )


class Rights(msgspec.Struct, frozen=True):
    """What a call may use."""

    offered: tuple[str, ...]
    withheld: tuple[Withheld, ...] = ()

    def allow(self, name: str) -> bool:
        """Whether a call of `name` may be carried out; a name nobody declared may not."""
        return name in self.offered


def rights(tools: Iterable[ToolRights], context: Collection[Trust]) -> Rights:
    """What of `tools` a call with texts of these kinds in its `context` may use."""
    doubtful = DOUBTFUL & frozenset(context)
    offered: list[str] = []
    withheld: list[Withheld] = []
    for tool in tools:
        in_the_way = () if tool.effect in HARMLESS else tuple(sorted(doubtful - tool.trusted_with))
        if in_the_way:
            withheld.append(Withheld(tool.name, tool.effect, in_the_way))
        else:
            offered.append(tool.name)
    return Rights(tuple(offered), tuple(withheld))
