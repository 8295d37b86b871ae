"""What the console needs to know of keys, people and roles; the application hands it in.

Rights are the API's: a page asks for the same permission as the endpoint that tells the same.
"""

from __future__ import annotations

from typing import Literal, Protocol

import msgspec

from headgate.errors import PermissionDeniedError
from headgate.gateway.caller import Caller

HolderKind = Literal["key", "user"]
"""What someone signed in with: a virtual key, or a name and a password."""


class Principal(msgspec.Struct, frozen=True, kw_only=True):
    """Who is signed in, with the rights they have at this moment."""

    kind: HolderKind
    id: str
    """Id of the key or the user."""
    name: str
    """The key's or the user's name, as it is shown and noted."""
    caller: Caller
    """What their calls and runs are made as."""
    permissions: frozenset[str]
    """As `intake.access.roles` names them, such as `runs.read`."""
    all_projects: bool
    """Whether they reach every project, or only their own."""

    def may(self, permission: str) -> bool:
        """Whether they are allowed what `permission` names."""
        return permission in self.permissions

    def require(self, permission: str) -> None:
        """`PermissionDeniedError` (403) unless they `may`."""
        if not self.may(permission):
            raise PermissionDeniedError(
                f"Your role {self.caller.role} lacks the permission `{permission}`; ask an"
                " administrator, or sign in with another key.",
                code="role_not_allowed",
            )

    @property
    def project(self) -> str | None:
        """The one project they reach; None where they reach all."""
        return None if self.all_projects else self.caller.project

    def reaches(self, project: str) -> bool:
        """Whether what belongs to `project` is theirs to see."""
        return self.all_projects or project == self.caller.project


class KeyLine(msgspec.Struct, frozen=True, kw_only=True):
    """A key as a page shows it, without its secret. Times are microseconds since 1970 UTC."""

    id: str
    name: str
    project: str
    role: str
    status: Literal["live", "expired", "revoked"]
    hint: str
    models: tuple[str, ...]
    workflows: tuple[str, ...]
    networks: tuple[str, ...]
    created_at_us: int
    expires_at_us: int | None


class KeyWanted(msgspec.Struct, frozen=True, kw_only=True):
    """A key that someone asks for."""

    name: str
    project: str
    role: str
    models: tuple[str, ...] = ()
    workflows: tuple[str, ...] = ()
    expires_at_us: int | None = None
    id: str | None = None
    """What it is to be called: a form that is sent twice makes one key."""


class Access(Protocol):
    """Who people are and which keys there are. Its methods raise `HeadgateError`s."""

    async def by_key(self, key: str, address: str | None) -> Principal:
        """Who holds this key; 401 where it opens nothing, 403 where its role has no console."""

    async def by_password(self, name: str, password: str) -> Principal:
        """Whose name and password these are; 401 where they are nobody's."""

    async def again(self, kind: HolderKind, holder_id: str, address: str | None) -> Principal:
        """Who signed in earlier, as they stand now; raises as the others where they may no more."""

    async def keys(self, who: Principal, *, limit: int, after: str) -> list[KeyLine]:
        """At most `limit` keys that `who` reaches, oldest first, from beyond the id `after`."""

    async def create_key(self, who: Principal, wanted: KeyWanted) -> tuple[KeyLine, str]:
        """A new key and its secret, within what `who` may hand out; 409 the second time."""

    async def revoke_key(self, who: Principal, key_id: str) -> KeyLine:
        """End a key, if `who` may."""

    async def projects(self, who: Principal) -> list[str]:
        """The live projects that `who` reaches, by name."""

    def roles_to_give(self, who: Principal) -> tuple[str, ...]:
        """The roles of keys that `who` may create."""
