"""One thing that can be asked of a provider's objects, as data: address, effect, what it touches.

The carrier knows effects only; which addresses there are stands in `operations.py`.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from headgate.gateway.objects.kind import IDENTIFIER, KINDS, Kind

Verb = Literal["GET", "POST", "DELETE", "PUT", "PATCH"]

Effect = Literal["make", "list", "change", "read", "content", "delete", "pass"]
"""What a request does.

- `make`: makes an object that the project owns from then on.
- `list`: lists objects of one kind, of which the project is shown its own.
- `change`: changes an object, or what stands below it.
- `read`: shows an object, or what stands below it.
- `content`: hands out bytes, as they come.
- `delete`: removes an object, which then is nobody's.
- `pass`: of an endpoint that an operator let through by its name; nothing is known of it.
"""

Cost = Literal["free", "unknown", "later"]
"""`free`: no provider asks money for it. `unknown`: it may cost; the ledger says unpriced.
`later`: it begins what is paid for when it ends; see `gateway.commitments`."""

_NAME_CHARACTERS = 32
"""As many as the ledger keeps of an endpoint's name."""


class Learnt(msgspec.Struct, frozen=True):
    """Where a reply about an object names others that were made along with it."""

    field: str
    kind: Kind


class Operation(msgspec.Struct, frozen=True, kw_only=True):
    """One method at one address."""

    method: Verb
    path: str
    """Below the base URL; a part such as `{file}` names an object that must be the caller's,
    `{item}` what stands below one."""
    effect: Effect
    summary: str
    kind: Kind | None = None
    """What it makes, lists or deletes."""
    cost: Cost = "free"
    runs_models: bool = False
    """Whether the provider runs models for it, so that the key must be allowed them."""
    runs_file: bool = False
    """Whether the provider makes the requests that stand in the lines of its `input_file_id`."""
    takes_form: bool = False
    """Whether its body may be a multipart form, which is handed on as it comes."""
    learns: tuple[Learnt, ...] = ()
    page_limits: tuple[int, int] = (20, 100)
    """Of a list: how many are shown where the caller doesn't say, and at most."""
    name_in_ledger: str | None = None
    """Where its path can't tell what of it is an identifier."""
    may_be_nameless: bool = False
    """Whether what it makes may have no identifier; then nobody can ask for it again."""
    listed_as: str | None = None
    """How the reference writes its path where another endpoint stands at the same address."""

    @property
    def name(self) -> str:
        """What the ledger and the metrics call it: its path without identifiers."""
        if self.name_in_ledger is not None:
            return self.name_in_ledger[:_NAME_CHARACTERS]
        parts = [part for part in self.path[1:].split("/") if part[0] != "{" and part != "alpha"]
        while len("/".join(parts)) > _NAME_CHARACTERS:
            parts.pop()
        return "/".join(parts)


class Found(msgspec.Struct, frozen=True):
    """An operation and the identifiers in the address that led to it."""

    operation: Operation
    path: str
    """The request's own path, below the base URL."""
    ids: dict[str, str]

    def owned(self) -> tuple[tuple[Kind, str], ...]:
        """The objects in the address that must be the caller's."""
        return tuple((name, value) for name, value in self.ids.items() if name in KINDS)  # type: ignore[misc]


class OperationTable:
    """Finds the operation for a method and a path."""

    def __init__(self, operations: tuple[Operation, ...]) -> None:
        self._by_shape: dict[tuple[str, str, int], list[tuple[tuple[str, ...], Operation]]] = {}
        for operation in operations:
            parts = tuple(operation.path[1:].split("/"))
            key = (operation.method, parts[0], len(parts))
            self._by_shape.setdefault(key, []).append((parts, operation))

    def find(self, method: str, path: str) -> Found | None:
        """The operation at `path`, which is below the base URL and decoded; None where none is."""
        given = path[1:].split("/")
        for parts, operation in self._by_shape.get((method, given[0], len(given)), ()):
            ids: dict[str, str] = {}
            for part, value in zip(parts, given, strict=True):
                if part[0] == "{":
                    if not IDENTIFIER.fullmatch(value):
                        break
                    ids[part[1:-1]] = value
                elif part != value:
                    break
            else:
                return Found(operation, path, ids)
        return None
