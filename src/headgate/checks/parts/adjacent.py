"""Which parts are pieces of one text: the model reads a message's content parts as one."""

from __future__ import annotations

from collections.abc import Sequence

from headgate.checks.parts.part import Part

_PIECES = ("].content", "].output", "].summary", "item.content", "message.content")
"""How the path of a list ends whose texts are read one after the other."""


def pieces_of_texts(parts: Sequence[Part]) -> list[list[Part]]:
    """`parts` in groups that are read as one text each, in order; most stand alone.

    What stands between two texts, such as an image, doesn't part them: whoever wants to be read by
    the model and not by a guard could put one there.
    """
    groups: list[list[Part]] = []
    open_groups: dict[tuple[str, str, str], list[Part]] = {}
    for part in parts:
        path = part.path
        at = path.rfind("[")
        if part.kind != "text" or part.in_json or at < 0 or not path[:at].endswith(_PIECES):
            groups.append([part])
            continue
        key = path[:at], path[path.rfind("]") :], part.role
        if key in open_groups:
            open_groups[key].append(part)
        else:
            open_groups[key] = [part]
            groups.append(open_groups[key])
    return groups


def read_as_one(parts: Sequence[Part]) -> list[str]:
    """The texts that `parts` make, pieces of one put together."""
    return ["".join(part.text for part in group) for group in pieces_of_texts(parts)]
