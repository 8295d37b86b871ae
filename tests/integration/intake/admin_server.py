"""The administrative application without a socket, and a client that calls it as a server would."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any, NamedTuple
from urllib.parse import quote

import msgspec
from starlette.types import ASGIApp

from headgate.config.settings import AccessSettings, ServerSettings
from headgate.errors import UnavailableError
from headgate.intake.access.authentication import Authenticator
from headgate.intake.access.first_key import ensure_admin_key
from headgate.intake.access.key import NewKey
from headgate.intake.access.keys import CreatedKey, KeyStore
from headgate.intake.access.networks import TrustedProxies
from headgate.intake.access.projects import ProjectStore
from headgate.intake.access.secret import load_secret
from headgate.intake.http.admin import AdminApp, Services
from headgate.intake.http.endpoint import ApiReply, ApiRequest, Endpoint
from headgate.intake.http.health_api import database_probe
from headgate.intake.http.inputs import Input
from headgate.intake.http.openai_endpoints import openai_endpoints
from headgate.intake.http.reply import REPLY, Headers
from headgate.storage import Database

ADMIN_KEY = "hg_admin-key-of-these-tests-0123456789abcdef"
ELSEWHERE = "203.0.113.5"


class Answer(NamedTuple):
    """What came back."""

    status: int
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        return msgspec.json.decode(self.body)

    @property
    def error(self) -> dict[str, Any]:
        """The error, once its shape is seen to be OpenAI's."""
        body = self.json()
        assert set(body) == {"error"}
        assert set(body["error"]) == {"message", "type", "param", "code"}
        assert body["error"]["message"]
        return body["error"]


class CollectedReply:
    """What `/v1` writes to a connection, kept."""

    def __init__(self, outgoing: list[dict[str, Any]]) -> None:
        self.gone = False
        self.on_gone: Any = None
        self.task: Any = None
        self._outgoing = outgoing

    def body_at_hand(self) -> None:
        """Nothing: the body is received."""

    async def whole(self, status: int, headers: Headers, body: bytes) -> None:
        self._outgoing += [{"status": status, "headers": headers}, {"body": body}]


async def call(
    app: ASGIApp,
    method: str,
    path: str,
    *,
    key: str | CreatedKey | None = ADMIN_KEY,
    json: Any = None,
    body: bytes | None = None,
    query: str = "",
    headers: Mapping[str, str] | None = None,
    peer: str | None = ELSEWHERE,
) -> Answer:
    """What `app` answers to one request."""
    sent = {name.lower(): value for name, value in (headers or {}).items()}
    if key is not None:
        token = key if isinstance(key, str) else key.plaintext
        sent.setdefault("authorization", f"Bearer {token}")
    content = body if body is not None else b"" if json is None else msgspec.json.encode(json)
    scope: dict[str, Any] = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": path,
        "raw_path": quote(path).encode(),
        "root_path": "",
        "query_string": query.encode(),
        "headers": [(n.encode("latin-1"), v.encode("latin-1")) for n, v in sent.items()],
        "client": None if peer is None else (peer, 1),
        "server": ("127.0.0.1", 8800),
    }
    outgoing: list[dict[str, Any]] = []
    scope["extensions"] = {REPLY: CollectedReply(outgoing)}
    incoming = [{"type": "http.request", "body": content, "more_body": False}]

    async def receive() -> dict[str, Any]:
        if not incoming:
            # The client stays until it has its answer.
            await asyncio.Event().wait()
        return incoming.pop(0)

    async def send(message: Any) -> None:
        outgoing.append(message)

    await app(scope, receive, send)
    start, *parts = outgoing
    return Answer(
        start["status"],
        {n.decode("latin-1"): v.decode("latin-1") for n, v in start["headers"]},
        b"".join(part.get("body", b"") for part in parts),
    )


class Nested(Input, frozen=True):
    limits: dict[str, int]
    anything: Any = None


class AdminServer:
    """One worker's administrative application on a database."""

    def __init__(self, database: Database, *, settings: ServerSettings | None = None) -> None:
        self.database = database
        self.settings = settings or ServerSettings(max_body_bytes=100_000)
        secret = load_secret(database, None)
        ensure_admin_key(database, secret, ADMIN_KEY)
        self.projects = ProjectStore(database)
        self.projects.ensure({"support": "", "sales": ""})
        self.keys = KeyStore(database, secret)
        self.authenticator = Authenticator(self.keys, secret, AccessSettings())
        self.targets_usable = True
        self.app = AdminApp(
            Services(
                database=database,
                keys=self.keys,
                projects=self.projects,
                authenticator=self.authenticator,
                trusted_proxies=TrustedProxies(self.settings.trusted_proxies),
                settings=self.settings,
                probes={"database": database_probe(database), "targets": self._targets},
                render_metrics=lambda: b"headgate_up 1\n",
                metrics_media_type="text/plain; version=0.0.4; charset=utf-8",
                effective_config=lambda: {"providers": {"openai": {"api_key": "sk-…"}}},
                more_endpoints=(*openai_endpoints(), *self._more()),
            )
        )

    async def start(self) -> None:
        await self.authenticator.start()

    async def stop(self) -> None:
        await self.app.stop()
        await self.authenticator.stop()

    def key(self, role: str = "app", *, project: str = "support", **fields: Any) -> CreatedKey:
        wanted = NewKey(project=project, name=f"a {role}", role=role, **fields)
        return self.keys.create(wanted, created_by="test")

    async def call(self, method: str, path: str, **request: Any) -> Answer:
        return await call(self.app, method, path, **request)

    async def _targets(self) -> None:
        if not self.targets_usable:
            raise UnavailableError("No provider answers.")

    def _more(self) -> tuple[Endpoint, ...]:
        async def broken(_request: ApiRequest) -> ApiReply:
            raise RuntimeError("hg_secret of a customer")

        async def echo(request: ApiRequest) -> ApiReply:
            return ApiReply(body=request.json(Nested))

        return (
            Endpoint(
                method="GET", path="/api/broken", permission="config.read", tag="test",
                summary="Fails", handler=broken,
            ),
            Endpoint(
                method="POST", path="/api/echo", permission="config.read", tag="test",
                summary="Answers what it was sent", handler=echo, request=Nested, response=Nested,
            ),
        )  # fmt: skip
