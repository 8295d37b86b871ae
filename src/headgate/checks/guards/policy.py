"""Which guards stand at a call: those of every policy that applies to it. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from fnmatch import fnmatchcase

import msgspec

from headgate.checks.guards.guard import Guard, Guarded
from headgate.config.guards import Dimension, GuardPolicySettings, GuardSettings

_MAX_REMEMBERED = 10_000
"""Callers whose guards are remembered; when full all are forgotten and looked up anew."""

_Who = tuple[str, str, str | None, str | None, str]


class Standing(msgspec.Struct, frozen=True, eq=False):
    """The guards of one kind of call, in order, and what names them together."""

    guards: tuple[Guard, ...]
    version: str
    """Changes whenever what these guards would do changes; part of the cache's key."""
    policies: dict[str, str]
    """By guard, the first policy that has it stand here."""

    @property
    def must_read(self) -> tuple[str, ...]:
        """Those of them, by name, that let no request by unread."""
        return tuple(
            guard.name
            for guard in self.guards
            if guard.unreadable == "block" and guard.reads_requests
        )


NOBODY = Standing((), "", {})
"""Where no guards stand."""


class GuardPolicies:
    """The policies of a server."""

    def __init__(
        self,
        policies: Mapping[str, GuardPolicySettings],
        guards: Mapping[str, Guard],
        settings: Mapping[str, GuardSettings],
    ) -> None:
        self._policies = policies
        self._guards = guards
        self._settings = settings
        self._known: dict[_Who, Standing | None] = {}
        self.go_by_key = any("key" in policy.of for policy in policies.values())
        """Whether it can matter which key of a project calls."""

    def standing(self, call: Guarded) -> Standing | None:
        """The guards that stand at `call`; None where there are none."""
        who = (call.project, call.key_id, call.route, call.workflow, call.trust)
        if who in self._known:
            return self._known[who]
        if len(self._known) >= _MAX_REMEMBERED:
            self._known.clear()
        found = self._known[who] = self._find(call)
        return found

    def may_stand(self, call: Guarded) -> bool:
        """Whether guards stand at `call`, or would if it asked for some model."""
        said = _said(call)
        return any(
            all(
                of == "route" or fnmatchcase(said[of] or "", pattern)
                for of, pattern in policy.of.items()
            )
            for policy in self._policies.values()
        )

    def _find(self, call: Guarded) -> Standing | None:
        said = _said(call)
        names: dict[str, str] = {}
        for policy_name, policy in self._policies.items():
            if all(fnmatchcase(said[of] or "", pattern) for of, pattern in policy.of.items()):
                for name in policy.guards:
                    names.setdefault(name, policy_name)
        if not names:
            return None
        digest = hashlib.sha256()
        for name in names:
            digest.update(msgspec.json.encode((name, self._settings.get(name))))
        guards = tuple(self._guards[name] for name in names)
        return Standing(guards, digest.hexdigest()[:16], names)


def _said(call: Guarded) -> dict[Dimension, str | None]:
    return {
        "project": call.project,
        "key": call.key_id,
        "route": call.route,
        "workflow": call.workflow,
        "trust": call.trust,
    }
