"""Health, readiness, metrics, the configuration and the API's own description."""

from __future__ import annotations

import asyncio

import jsonschema_rs
import pytest

from headgate.errors import DatabaseUnavailableError
from headgate.intake.http import health_api


async def test_a_running_process_is_healthy(sqlite_server):
    answer = await sqlite_server.call("GET", "/healthz", key=None)
    assert (answer.status, answer.json()) == (200, {"status": "ok"})


async def test_a_server_is_ready_when_all_its_parts_are(server):
    answer = await server.call("GET", "/readyz", key=None)
    assert answer.status == 200
    assert answer.json() == {
        "status": "ready",
        "checks": {"database": {"ok": True}, "targets": {"ok": True}},
    }


async def test_a_server_without_a_target_is_not_ready_and_says_why(sqlite_server):
    sqlite_server.targets_usable = False
    answer = await sqlite_server.call("GET", "/readyz", key=None)
    assert answer.status == 503
    body = answer.json()
    assert body["status"] == "not_ready"
    assert body["checks"]["targets"] == {"ok": False, "message": "No provider answers."}
    assert body["checks"]["database"] == {"ok": True}


async def test_a_server_without_its_database_is_not_ready_but_healthy(sqlite_server, monkeypatch):
    def away():
        raise DatabaseUnavailableError

    monkeypatch.setattr(sqlite_server.database, "ping", away)
    assert (await sqlite_server.call("GET", "/readyz", key=None)).status == 503
    assert (await sqlite_server.call("GET", "/healthz", key=None)).status == 200


async def test_a_probe_that_hangs_is_failed_in_time_and_run_once_whoever_asks(monkeypatch):
    monkeypatch.setattr(health_api, "_PROBE_TIMEOUT_S", 0.05)
    runs = 0

    async def hangs():
        nonlocal runs
        runs += 1
        await asyncio.sleep(60)

    async def broken():
        raise RuntimeError("secret")

    api = health_api.HealthApi(
        {"slow": hangs, "broken": broken},
        render_metrics=lambda: b"",
        metrics_media_type="text/plain",
        metrics_open_to=(),
    )
    replies = await asyncio.gather(*(api.readiness(None) for _ in range(3)))
    assert {reply.status for reply in replies} == {503}
    assert runs == 1
    assert "secret" not in str(replies[0].body)
    await api.stop()


class TestMetrics:
    async def test_they_are_open_to_this_machine(self, sqlite_server):
        for peer in ("127.0.0.1", "::1", "::ffff:127.0.0.1"):
            answer = await sqlite_server.call("GET", "/metrics", key=None, peer=peer)
            assert (answer.status, answer.body) == (200, b"headgate_up 1\n")
            assert answer.headers["content-type"].startswith("text/plain")

    async def test_others_need_a_key_that_may_read_them(self, sqlite_server):
        assert (await sqlite_server.call("GET", "/metrics", key=None)).status == 401
        assert (await sqlite_server.call("GET", "/metrics", key=None, peer=None)).status == 401
        app = sqlite_server.key("app")
        assert (await sqlite_server.call("GET", "/metrics", key=app)).status == 403
        auditor = sqlite_server.key("auditor")
        assert (await sqlite_server.call("GET", "/metrics", key=auditor)).status == 200

    @pytest.mark.parametrize("header", ["x-forwarded-for", "forwarded", "x-real-ip", "via"])
    async def test_a_local_proxy_does_not_open_them_to_the_world(self, sqlite_server, header):
        answer = await sqlite_server.call(
            "GET", "/metrics", key=None, peer="127.0.0.1", headers={header: "192.0.2.1"}
        )
        assert answer.status == 401

    async def test_a_wrong_key_is_refused_even_from_this_machine(self, sqlite_server):
        answer = await sqlite_server.call("GET", "/metrics", key="hg_wrong", peer="127.0.0.1")
        assert answer.status == 401


async def test_the_configuration_is_shown_as_it_was_handed_in(sqlite_server):
    answer = await sqlite_server.call("GET", "/api/config")
    assert answer.json() == {"providers": {"openai": {"api_key": "sk-…"}}}


class TestOpenApi:
    async def test_it_describes_every_endpoint_and_its_permission(self, sqlite_server):
        document = (await sqlite_server.call("GET", "/openapi.json", key=None)).json()
        assert document["openapi"].startswith("3.1")
        for endpoint in sqlite_server.app.endpoints:
            path = endpoint.path.replace(":path}", "}")
            operation = document["paths"][path][endpoint.method.lower()]
            assert operation.get("x-headgate-permission") == endpoint.permission
        ids = [
            operation["operationId"]
            for path in document["paths"].values()
            for operation in path.values()
        ]
        assert len(ids) == len(set(ids))

    async def test_its_references_lead_somewhere_and_its_schemas_are_valid(self, sqlite_server):
        document = (await sqlite_server.call("GET", "/openapi.json", key=None)).json()
        schemas = document["components"]["schemas"]

        def walk(node):
            if isinstance(node, dict):
                if "$ref" in node:
                    assert node["$ref"].removeprefix("#/components/schemas/") in schemas
                for value in node.values():
                    walk(value)
            elif isinstance(node, list):
                for value in node:
                    walk(value)

        walk(document)
        for schema in schemas.values():
            jsonschema_rs.meta.validate({"$schema": jsonschema_rs_draft(), **schema})

    async def test_answers_are_as_it_says(self, sqlite_server):
        document = (await sqlite_server.call("GET", "/openapi.json", key=None)).json()
        key = sqlite_server.key()
        for method, template, path, status in (
            ("GET", "/api/keys", "/api/keys", "200"),
            ("GET", "/api/keys/{id}", f"/api/keys/{key.key.id}", "200"),
            ("POST", "/api/keys/{id}/rotate", f"/api/keys/{key.key.id}/rotate", "201"),
            ("GET", "/api/projects", "/api/projects", "200"),
            ("GET", "/api/usage", "/api/usage", "200"),
            ("GET", "/readyz", "/readyz", "200"),
        ):
            answer = await sqlite_server.call(method, path)
            assert answer.status == int(status)
            described = document["paths"][template][method.lower()]["responses"][status]
            schema = described["content"]["application/json"]["schema"]
            jsonschema_rs.validate({**schema, "components": document["components"]}, answer.json())


def jsonschema_rs_draft() -> str:
    return "https://json-schema.org/draft/2020-12/schema"


async def test_an_api_that_cannot_reach_its_database_is_503(server, monkeypatch):
    def away(*_args, **_kwargs):
        raise DatabaseUnavailableError

    await server.call("GET", "/api/keys")
    monkeypatch.setattr(server.database, "connect", away)
    answer = await server.call("GET", "/api/keys")
    assert (answer.status, answer.error["code"]) == (503, "database_unavailable")
