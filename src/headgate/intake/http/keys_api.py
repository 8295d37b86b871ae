"""`/api/keys`: create, list, rotate and revoke virtual keys over HTTP."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from headgate.errors import NotFoundError
from headgate.gateway.caller import Caller, Role
from headgate.intake.access.delegation import (
    allowed_to_create,
    allowed_to_rotate,
    check_may_revoke,
)
from headgate.intake.access.key import MAX_OVERLAP_S, Key, KeyStatus, NewKey, checked
from headgate.intake.access.keys import CreatedKey, KeyStore
from headgate.intake.access.projects import wall_clock_us
from headgate.intake.access.reach import reaches, visible_project
from headgate.intake.http.endpoint import ApiReply, ApiRequest, Endpoint
from headgate.intake.http.inputs import Input
from headgate.storage.threads import StorageThreads

_SECOND_US = 1_000_000
_DAY_S = 86_400

Timestamp = Annotated[int, Meta(ge=0, le=253_402_300_799, description="Seconds since 1970 UTC.")]


class CreateKey(Input, frozen=True):
    """A key that is wanted."""

    name: Annotated[str, Meta(description="What the key is for.")]
    project: Annotated[str | None, Meta(description="By default that of the key you use.")] = None
    role: Role = "app"
    models: Annotated[
        tuple[str, ...],
        Meta(description="Models and routes it may ask for, `*` for anything; empty allows all."),
    ] = ()
    workflows: Annotated[
        tuple[str, ...],
        Meta(description="Workflows it may run, `*` for anything; empty allows all."),
    ] = ()
    networks: Annotated[
        tuple[str, ...], Meta(description="CIDRs it may be used from; empty allows all.")
    ] = ()
    expires_at: Timestamp | None = None


class RotateKey(Input, frozen=True):
    """How a key is replaced."""

    overlap_s: Annotated[
        int, Meta(ge=0, le=MAX_OVERLAP_S, description="How long the old key goes on working.")
    ] = _DAY_S
    expires_at: Annotated[
        Timestamp | None, Meta(description="End of the new key; by default that of the old one.")
    ] = None


class KeyQuery(Input, frozen=True):
    """Which keys to list."""

    project: str | None = None
    status: KeyStatus | None = None
    limit: Annotated[int, Meta(ge=1, le=1000)] = 100
    after: Annotated[str, Meta(description="The id of the last key of the page before.")] = ""


class KeyView(msgspec.Struct, frozen=True, kw_only=True):
    """A key as it is shown: without its secret."""

    id: str
    object: Literal["key"] = "key"
    name: str
    project: str
    role: Role
    status: KeyStatus
    hint: Annotated[str, Meta(description="The secret's last characters.")]
    models: tuple[str, ...]
    workflows: tuple[str, ...]
    networks: tuple[str, ...]
    created_at: Timestamp
    created_by: str
    expires_at: Timestamp | None
    revoked_at: Timestamp | None
    replaced_by: str | None


class CreatedKeyView(KeyView, frozen=True, kw_only=True):
    """A new key with its secret, which is shown this once."""

    key: str


class KeyList(msgspec.Struct, frozen=True, kw_only=True):
    """A page of keys, oldest first."""

    object: Literal["list"] = "list"
    data: list[KeyView]
    has_more: bool


class KeysApi:
    """Handlers over one key store. `changed` is awaited after each change."""

    def __init__(
        self, keys: KeyStore, threads: StorageThreads, changed: Callable[[], Awaitable[None]]
    ) -> None:
        self._keys = keys
        self._threads = threads
        self._changed = changed

    def endpoints(self) -> tuple[Endpoint, ...]:
        """What this API serves."""
        return (
            Endpoint(
                method="GET", path="/api/keys", permission="keys.read", tag="keys",
                summary="List keys", handler=self.list, query=KeyQuery, response=KeyList,
            ),
            Endpoint(
                method="POST", path="/api/keys", permission="keys.manage", tag="keys",
                summary="Create a key and show its secret once", handler=self.create,
                request=CreateKey, response=CreatedKeyView, status=201,
            ),
            Endpoint(
                method="GET", path="/api/keys/{id}", permission="keys.read", tag="keys",
                summary="Show a key", handler=self.show, response=KeyView,
            ),
            Endpoint(
                method="DELETE", path="/api/keys/{id}", permission="keys.manage", tag="keys",
                summary="Revoke a key; its record stays", handler=self.revoke, response=KeyView,
            ),
            Endpoint(
                method="POST", path="/api/keys/{id}/revoke", permission="keys.manage", tag="keys",
                summary="Revoke a key on every process within two seconds", handler=self.revoke,
                response=KeyView,
            ),
            Endpoint(
                method="POST", path="/api/keys/{id}/rotate", permission="keys.manage", tag="keys",
                summary="Replace a key; the old one works on for the overlap", handler=self.rotate,
                request=RotateKey, response=CreatedKeyView, status=201,
            ),
        )  # fmt: skip

    async def list(self, request: ApiRequest) -> ApiReply:
        """`GET /api/keys`."""
        query = request.query(KeyQuery)
        project = visible_project(request.caller, query.project)
        found = await self._threads.begin(
            self._keys.list,
            project=project, status=query.status, limit=query.limit + 1, after=query.after,
        )  # fmt: skip
        return ApiReply(
            body=KeyList(
                data=[key_view(key) for key in found[: query.limit]],
                has_more=len(found) > query.limit,
            )
        )

    async def create(self, request: ApiRequest) -> ApiReply:
        """`POST /api/keys`."""
        created = await self._threads.begin(self._create, request.caller, request.json(CreateKey))
        await self._changed()
        return ApiReply(body=created_key_view(created), status=201)

    async def show(self, request: ApiRequest) -> ApiReply:
        """`GET /api/keys/{id}`."""
        key = await self._threads.begin(self._keys.get, request.path["id"])
        if not reaches(request.caller.role, request.caller.project, key.project):
            raise NotFoundError(f"There is no key `{key.id}` here.", param="id")
        return ApiReply(body=key_view(key))

    async def revoke(self, request: ApiRequest) -> ApiReply:
        """`DELETE /api/keys/{id}` and `POST /api/keys/{id}/revoke`."""
        key = await self._threads.begin(self._revoke, request.caller, request.path["id"])
        await self._changed()
        return ApiReply(body=key_view(key))

    async def rotate(self, request: ApiRequest) -> ApiReply:
        """`POST /api/keys/{id}/rotate`."""
        wanted = request.json(RotateKey) if request.body.strip() else RotateKey()
        created = await self._threads.begin(
            self._rotate, request.caller, request.path["id"], wanted
        )
        await self._changed()
        return ApiReply(body=created_key_view(created), status=201)

    def _create(self, caller: Caller, wanted: CreateKey) -> CreatedKey:
        new = checked(
            NewKey(
                project=wanted.project or caller.project,
                name=wanted.name,
                role=wanted.role,
                models=wanted.models,
                workflows=wanted.workflows,
                networks=wanted.networks,
                expires_at_us=_microseconds(wanted.expires_at),
            ),
            wall_clock_us(),
        )
        return self._keys.create(
            allowed_to_create(self._keys.get(caller.key_id), new), created_by=caller.key_id
        )

    def _revoke(self, caller: Caller, key_id: str) -> Key:
        check_may_revoke(self._keys.get(caller.key_id), self._keys.get(key_id))
        return self._keys.revoke(key_id)

    def _rotate(self, caller: Caller, key_id: str, wanted: RotateKey) -> CreatedKey:
        expires_at_us = allowed_to_rotate(
            self._keys.get(caller.key_id),
            self._keys.get(key_id),
            _microseconds(wanted.expires_at),
        )
        return self._keys.rotate(
            key_id,
            overlap_s=wanted.overlap_s,
            created_by=caller.key_id,
            expires_at_us=expires_at_us,
        )


def key_view(key: Key) -> KeyView:
    """`key` as it is shown, now."""
    return KeyView(**_shown(key))


def created_key_view(created: CreatedKey) -> CreatedKeyView:
    """`created` as it is shown, once."""
    return CreatedKeyView(key=created.plaintext, **_shown(created.key))


def _shown(key: Key) -> dict[str, Any]:
    return {
        "id": key.id,
        "name": key.name,
        "project": key.project,
        "role": key.role,
        "status": key.status_at(wall_clock_us()),
        "hint": key.hint,
        "models": key.models,
        "workflows": key.workflows,
        "networks": key.networks,
        "created_at": _seconds(key.created_at_us),
        "created_by": key.created_by,
        "expires_at": _seconds(key.expires_at_us),
        "revoked_at": _seconds(key.revoked_at_us),
        "replaced_by": key.replaced_by,
    }


def _microseconds(seconds: int | None) -> int | None:
    return None if seconds is None else seconds * _SECOND_US


def _seconds(microseconds: int | None) -> int | None:
    return None if microseconds is None else microseconds // _SECOND_US
