"""Lends the console what it needs of keys, users and roles; imported when it is first asked for."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from starlette.datastructures import Headers
from starlette.types import Scope

from headgate.app.plan import Plan
from headgate.errors import AuthenticationError, InvalidRequestError, PermissionDeniedError
from headgate.gateway.caller import Caller, Role
from headgate.intake.access.authentication import Authenticator
from headgate.intake.access.delegation import allowed_to_create, check_may_revoke
from headgate.intake.access.key import Key, NewKey, checked
from headgate.intake.access.keys import KeyStore
from headgate.intake.access.networks import TrustedProxies
from headgate.intake.access.projects import ProjectStore, wall_clock_us
from headgate.intake.access.reach import visible_project
from headgate.intake.access.roles import RIGHTS, ROLES
from headgate.intake.access.secret import Secret
from headgate.intake.access.users import User, UserStore, may_sign_in
from headgate.ledger.allowances.rule import Rules
from headgate.review.board import Board
from headgate.review.console.access import HolderKind, KeyLine, KeyWanted, Principal
from headgate.review.console.application import Console, ConsoleServices
from headgate.review.console.board_reviews import BoardReviews
from headgate.review.console.gate import Client
from headgate.review.console.reviews import Reviews
from headgate.storage import Database
from headgate.storage.threads import StorageThreads
from headgate.workflows.durable.carrier import DurableRuns

_MOST_PROJECTS = 1000


class ConsoleAccess:
    """`review.console.access.Access` over the stores of `intake`."""

    def __init__(
        self,
        *,
        authenticator: Authenticator,
        keys: KeyStore,
        users: UserStore,
        projects: ProjectStore,
        threads: StorageThreads,
        changed: Callable[[], Awaitable[None]],
    ) -> None:
        """`changed` is awaited after each change to keys."""
        self._authenticator = authenticator
        self._keys = keys
        self._users = users
        self._projects = projects
        self._threads = threads
        self._changed = changed

    async def by_key(self, key: str, address: str | None) -> Principal:
        """See `Access`."""
        try:
            token = b"Bearer " + key.encode("ascii")
        except UnicodeEncodeError:
            raise AuthenticationError("That is no key of this server's.") from None
        caller = await self._authenticator.authenticate(token, address)
        return await self._of_key(caller)

    async def by_password(self, name: str, password: str) -> Principal:
        """See `Access`."""
        user = await self._threads.begin(self._users.verified, name, password)
        if user is None:
            raise AuthenticationError(
                "Name and password do not belong together, or the user is disabled.",
                code="invalid_password",
            )
        return _of_user(user)

    async def again(self, kind: HolderKind, holder_id: str, address: str | None) -> Principal:
        """See `Access`."""
        if kind == "key":
            return await self._of_key(await self._authenticator.holder(holder_id, address))
        user = await self._threads.begin(self._users.find, holder_id)
        if user is None:
            raise AuthenticationError("That user may sign in no more.")
        return _of_user(user)

    async def keys(self, who: Principal, *, limit: int, after: str) -> list[KeyLine]:
        """See `Access`."""
        found = await self._threads.begin(
            self._keys.list,
            project=visible_project(who.caller, None),
            limit=limit,
            after=after,
        )
        return [_line(key) for key in found]

    async def create_key(self, who: Principal, wanted: KeyWanted) -> tuple[KeyLine, str]:
        """See `Access`."""
        role: Role | None = next((role for role in ROLES if role == wanted.role), None)
        if role is None:
            raise InvalidRequestError(f"`role`: use one of {', '.join(ROLES)}.", param="role")
        new = checked(
            NewKey(
                project=wanted.project,
                name=wanted.name,
                role=role,
                models=wanted.models,
                workflows=wanted.workflows,
                expires_at_us=wanted.expires_at_us,
            ),
            wall_clock_us(),
        )
        creator = await self._as_key(who)
        created = await self._threads.begin(
            self._keys.create,
            allowed_to_create(creator, new),
            created_by=who.id,
            key_id=wanted.id,
        )
        await self._changed()
        return _line(created.key), created.plaintext

    async def revoke_key(self, who: Principal, key_id: str) -> KeyLine:
        """See `Access`."""
        key = await self._threads.begin(self._keys.get, key_id)
        check_may_revoke(await self._as_key(who), key)
        revoked = await self._threads.begin(self._keys.revoke, key_id)
        await self._changed()
        return _line(revoked)

    async def projects(self, who: Principal) -> list[str]:
        """See `Access`."""
        found = await self._threads.begin(
            self._projects.list, limit=_MOST_PROJECTS, only=who.project
        )
        return [project.name for project in found if project.archived_at_us is None]

    def roles_to_give(self, who: Principal) -> tuple[str, ...]:
        """See `Access`."""
        return tuple(role for role in ROLES if role in RIGHTS[who.caller.role].creates)

    async def _of_key(self, caller: Caller) -> Principal:
        if not may_sign_in(caller.role):
            raise PermissionDeniedError(
                f"A key of role {caller.role} is for applications; sign in with another.",
                code="role_not_allowed",
            )
        key = await self._threads.begin(self._keys.get, caller.key_id)
        return _principal("key", key.id, key.name, caller)

    async def _as_key(self, who: Principal) -> Key:
        """What the rules of delegation judge by: the key itself, or the like of a person."""
        if who.kind == "key":
            return await self._threads.begin(self._keys.get, who.id)
        return Key(
            id=who.id,
            project=who.caller.project,
            name=who.name,
            role=who.caller.role,
            hint="",
            created_at_us=0,
            created_by=who.id,
        )


def client_reader(proxies: TrustedProxies) -> Callable[[Scope], Client]:
    """Tells where a request comes from, behind the proxies that the operator trusts."""

    def read(scope: Scope) -> Client:
        headers = Headers(scope=scope)
        peer = scope["client"][0] if scope.get("client") else None
        forwarded = ", ".join(headers.getlist("x-forwarded-for")) or None
        scheme = scope.get("scheme", "http")
        if proxies.trusts(peer):
            # The last word is the nearest proxy's.
            scheme = headers.get("x-forwarded-proto", scheme).rpartition(",")[2].strip().lower()
        return Client(proxies.client_address(peer, forwarded), scheme == "https")

    return read


def _of_user(user: User) -> Principal:
    return _principal(
        "user", user.id, user.name, Caller(key_id=user.id, project=user.project, role=user.role)
    )


def _principal(kind: HolderKind, holder_id: str, name: str, caller: Caller) -> Principal:
    rights = RIGHTS[caller.role]
    return Principal(
        kind=kind,
        id=holder_id,
        name=name,
        caller=caller,
        permissions=frozenset(rights.permissions),
        all_projects=rights.reach == "all",
    )


def _line(key: Key) -> KeyLine:
    return KeyLine(
        id=key.id,
        name=key.name,
        project=key.project,
        role=key.role,
        status=key.status_at(wall_clock_us()),
        hint=key.hint,
        models=key.models,
        workflows=key.workflows,
        networks=key.networks,
        created_at_us=key.created_at_us,
        expires_at_us=key.expires_at_us,
    )


def build_console(
    plan: Plan,
    *,
    database: Database,
    secret: Secret,
    authenticator: Authenticator,
    proxies: TrustedProxies,
    durable: DurableRuns,
    rules: Rules,
    effective_config: Callable[[], Any],
    changed: Callable[[], Awaitable[None]],
    threads: StorageThreads,
    board: Board,
    reviews: Reviews | None,
) -> Console:
    """The console of one worker; it shows the board's reviews, or `reviews` in their place."""
    return Console(
        ConsoleServices(
            database=database,
            threads=threads,
            settings=plan.settings.console,
            access=ConsoleAccess(
                authenticator=authenticator,
                keys=KeyStore(database, secret),
                users=UserStore(database),
                projects=ProjectStore(database),
                threads=threads,
                changed=changed,
            ),
            durable=durable,
            rules=rules,
            effective_config=effective_config,
            client_of=client_reader(proxies),
            simulated=bool(plan.simulated),
            reviews=reviews or BoardReviews(board),
        )
    )
