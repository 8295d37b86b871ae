"""The addresses that an operator lets pass by name, of which Headgate knows nothing else."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import get_args

from headgate.config.load import setting_error
from headgate.gateway.endpoints import ENDPOINTS
from headgate.gateway.objects.operation import Found, Operation, OperationTable, Verb
from headgate.gateway.objects.operations import OPERATIONS

_PART = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.:~+-]{0,127}")
"""What a part of such an address may be: nothing that leads elsewhere."""

_SERVED_OTHERWISE = ("models", "responses")
"""First parts of addresses that have handlers of their own."""

_VERBS: tuple[Verb, ...] = get_args(Verb)


class AllowedPaths:
    """Finds what is let pass."""

    def __init__(self, patterns: Sequence[str]) -> None:
        self._patterns = patterns
        self._exact = {p.removeprefix("/v1") for p in patterns if not p.endswith("/*")}
        self._below = tuple(p.removeprefix("/v1")[:-1] for p in patterns if p.endswith("/*"))
        self._known = OperationTable(OPERATIONS)

    def check(self, folder: Path | None) -> None:
        """`ConfigError` with file and line for an address that is served anyway."""
        for index, pattern in enumerate(self._patterns):
            path = pattern.removeprefix("/v1").removesuffix("/*")
            if (
                path[1:] in ENDPOINTS
                or path.split("/")[1] in _SERVED_OTHERWISE
                or self._knows(path)
            ):
                raise setting_error(
                    folder,
                    f"`{pattern}` is served already, with limits and ownership; leave it out",
                    "endpoints", "allow", index,
                )  # fmt: skip

    def find(self, method: str, path: str) -> Found | None:
        """The request as one that passes; None where it is not allowed, or is served otherwise."""
        if method not in _VERBS or not self._allows(path) or self._knows(path):
            return None
        parts = path[1:].split("/")
        if not all(_PART.fullmatch(part) for part in parts):
            return None
        operation = Operation(
            method=method,
            path=path,
            effect="pass",
            summary="Let pass by name",
            cost="unknown",
            runs_models=method != "GET",
            takes_form=True,
            name_in_ledger="/".join(parts[:2]) if path in self._exact else parts[0],
        )
        return Found(operation, path, self._ids_on_the_way(parts))

    def _ids_on_the_way(self, parts: list[str]) -> dict[str, str]:
        """The objects below which an unknown address stands, which must be the caller's."""
        for end in range(len(parts) - 1, 0, -1):
            found = self._known.find("GET", "/" + "/".join(parts[:end]))
            if found is not None:
                return found.ids
        return {}

    def _allows(self, path: str) -> bool:
        return path in self._exact or path.startswith(self._below)

    def _knows(self, path: str) -> bool:
        return any(self._known.find(verb, path) for verb in _VERBS)
