"""One piece of a request or of a reply as a guard sees it: what it is, who wrote it, its text."""

from __future__ import annotations

from typing import Any, Literal

Role = Literal["operator", "user", "retrieved", "tool", "model", "label"]
"""Who wrote it. `operator`: instructions, the descriptions of tools. `user`: what is asked.
`retrieved`: what was looked up. `tool`: what a tool answered. `model`: what a model wrote, now or
earlier. `label`: names that an application gives, such as metadata or the end user's identifier."""

Kind = Literal["text", "name", "image", "audio", "file", "tokens"]
"""`text` can be read and rewritten. `name`: of a field that a caller named; it can be read. Of
media there is only the address or the encoded bytes; `tokens` is text that can't be read here."""


class Part:
    """A place in a decoded request or reply; what is set in `text` stands there from then on.

    Setting the text of anything but a `text` raises `TypeError`.
    """

    __slots__ = (
        "_holder", "_key", "changed", "field", "in_json", "kind", "path", "role", "spoken",
    )  # fmt: skip

    def __init__(
        self,
        holder: dict[str, Any] | list[Any],
        key: str | int,
        *,
        path: str,
        role: Role,
        kind: Kind = "text",
        in_json: bool = False,
        spoken: bool = False,
    ) -> None:
        self._holder: Any = holder
        self._key = key
        self.changed = False
        """Whether its text was set."""
        self.field = path.partition(".")[0].partition("[")[0]
        """The field of the request or reply that it is in."""
        self.path = path
        """Where it stands, such as `messages[1].content`; it holds no text of the caller's."""
        self.role: Role = role
        self.kind: Kind = kind
        self.in_json = in_json
        """Whether the text is JSON itself, in whose strings a value must be escaped."""
        self.spoken = spoken
        """Whether it is written down beside sound, which a guard can cut and can't rewrite."""

    def __repr__(self) -> str:
        """Where it stands, not what it says: reprs end up in logs."""
        return f"Part({self.path}, {self.kind}, {self.role})"

    @property
    def text(self) -> str:
        """What stands there now."""
        return str(self._key if self.kind == "name" else self._holder[self._key])

    @text.setter
    def text(self, text: str) -> None:
        if self.kind != "text":
            raise TypeError(f"{self!r} can't be rewritten")
        if not isinstance(text, str):
            # A guard may be anybody's code, and the provider must get a text where one stood.
            raise TypeError(f"{self!r} can't become {type(text).__name__}")
        self._holder[self._key] = text
        self.changed = True
