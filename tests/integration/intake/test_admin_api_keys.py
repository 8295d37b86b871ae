"""`/api/keys` as its users meet it, on both databases."""

from __future__ import annotations

import time

import pytest
from admin_server import ADMIN_KEY


async def test_a_key_is_created_used_rotated_and_revoked(server):
    created = await server.call(
        "POST",
        "/api/keys",
        json={
            "name": "ops",
            "project": "support",
            "role": "auditor",
            "networks": ["203.0.113.0/24"],
        },
    )
    assert created.status == 201
    key = created.json()
    assert key["object"] == "key"
    assert key["key"].startswith("hg_")
    assert (key["role"], key["project"], key["status"]) == ("auditor", "support", "live")
    assert abs(key["created_at"] - time.time()) < 60
    assert (await server.call("GET", "/api/config", key=key["key"])).status == 200
    elsewhere = await server.call("GET", "/api/config", key=key["key"], peer="198.51.100.1")
    assert (elsewhere.status, elsewhere.error["code"]) == (403, "ip_not_allowed")

    rotated = await server.call("POST", f"/api/keys/{key['id']}/rotate", json={"overlap_s": 60})
    assert rotated.status == 201
    successor = rotated.json()
    for plaintext in (key["key"], successor["key"]):
        assert (await server.call("GET", "/api/config", key=plaintext)).status == 200
    old = (await server.call("GET", f"/api/keys/{key['id']}")).json()
    assert old["replaced_by"] == successor["id"]
    assert old["expires_at"] is not None
    assert "key" not in old

    revoked = await server.call("POST", f"/api/keys/{successor['id']}/revoke")
    assert (revoked.status, revoked.json()["status"]) == (200, "revoked")
    answer = await server.call("GET", "/api/config", key=successor["key"])
    assert (answer.status, answer.error["code"]) == (401, "key_revoked")
    assert (await server.call("DELETE", f"/api/keys/{key['id']}")).json()["status"] == "revoked"
    assert (await server.call("GET", "/api/config", key=key["key"])).status == 401


async def test_a_list_never_shows_a_secret(server):
    made = [server.key("app") for _ in range(3)]
    answer = await server.call("GET", "/api/keys")
    listed = answer.json()
    assert listed["object"] == "list"
    assert {key.key.id for key in made} <= {key["id"] for key in listed["data"]}
    for key in made:
        assert key.plaintext.encode() not in answer.body
    assert ADMIN_KEY.encode() not in answer.body


async def test_a_list_comes_in_pages(server):
    for _ in range(3):
        server.key("app")
    query = "project=support&limit=2"
    first = (await server.call("GET", "/api/keys", query=query)).json()
    assert (len(first["data"]), first["has_more"]) == (2, True)
    second = await server.call("GET", "/api/keys", query=f"{query}&after={first['data'][-1]['id']}")
    assert (len(second.json()["data"]), second.json()["has_more"]) == (1, False)


async def test_a_developer_sees_and_makes_keys_of_its_own_project_only(server):
    developer = server.key("developer")
    foreign = server.key("app", project="sales")
    listed = (await server.call("GET", "/api/keys", key=developer)).json()["data"]
    assert {key["project"] for key in listed} == {"support"}
    for method, path in (
        ("GET", f"/api/keys/{foreign.key.id}"),
        ("DELETE", f"/api/keys/{foreign.key.id}"),
        ("POST", f"/api/keys/{foreign.key.id}/rotate"),
    ):
        answer = await server.call(method, path, key=developer)
        assert (answer.status, answer.error["code"]) == (404, "not_found")
    assert (
        await server.call("GET", "/api/keys", key=developer, query="project=sales")
    ).status == 403
    made = await server.call("POST", "/api/keys", key=developer, json={"name": "mine"})
    assert (made.json()["project"], made.json()["role"]) == ("support", "app")
    assert made.json()["created_by"] == developer.key.id


@pytest.mark.parametrize(
    ("creator", "wanted", "param"),
    [
        ("developer", {"role": "developer"}, "role"),
        ("developer", {"role": "admin"}, "role"),
        ("developer", {"project": "sales"}, "project"),
        ("developer", {"models": ["*"]}, "models[0]"),
        ("operator", {"role": "admin"}, "role"),
        ("operator", {"role": "app"}, "role"),
    ],
)
async def test_nobody_makes_a_key_with_more_rights_than_its_own(
    sqlite_server, creator, wanted, param
):
    key = sqlite_server.key(creator, models=("gpt-4*",))
    before = len(sqlite_server.keys.list())
    answer = await sqlite_server.call("POST", "/api/keys", key=key, json={"name": "x"} | wanted)
    assert (answer.status, answer.error["param"]) == (403, param)
    assert len(sqlite_server.keys.list()) == before


async def test_a_developer_cannot_rotate_itself_into_an_administrators_key(server):
    developer = server.key("developer")
    admin = server.key("admin")
    answer = await server.call("POST", f"/api/keys/{admin.key.id}/rotate", key=developer)
    assert answer.status in (403, 404)


@pytest.mark.parametrize(
    ("sent", "param"),
    [
        ({}, "name"),
        ({"name": 5}, "name"),
        ({"name": ""}, "name"),
        ({"name": "x", "rolle": "app"}, "rolle"),
        ({"name": "x", "role": "root"}, "role"),
        ({"name": "x", "models": "gpt-4o"}, "models"),
        ({"name": "x", "models": ["a", "b c"]}, "models[1]"),
        ({"name": "x", "networks": ["10.0.0.1/8"]}, "networks[0]"),
        ({"name": "x", "expires_at": 1}, "expires_at"),
        ({"name": "x", "expires_at": -1}, "expires_at"),
        ({"name": "x", "expires_at": 1e300}, "expires_at"),
        ({"name": "x", "project": "nope"}, "project"),
        ({"name": "x", "project": "a\0b"}, "project"),
        ({"name": "a\0b"}, "name"),
    ],
)
async def test_a_wrong_field_is_400_and_named(sqlite_server, sent, param):
    answer = await sqlite_server.call("POST", "/api/keys", json=sent)
    assert (answer.status, answer.error["param"]) == (400, param)
    assert answer.error["type"] == "invalid_request_error"


@pytest.mark.parametrize("sent", [{"overlap_s": -1}, {"overlap_s": 10**12}, {"overlap": 5}])
async def test_a_wrong_rotation_is_400(sqlite_server, sent):
    key = sqlite_server.key()
    answer = await sqlite_server.call("POST", f"/api/keys/{key.key.id}/rotate", json=sent)
    assert answer.status == 400
    assert answer.error["param"] == next(iter(sent))


async def test_a_rotation_without_a_body_leaves_a_day(server):
    key = server.key()
    answer = await server.call("POST", f"/api/keys/{key.key.id}/rotate")
    assert answer.status == 201
    old = server.keys.get(key.key.id)
    assert abs(old.expires_at_us / 1e6 - time.time() - 86_400) < 60


async def test_a_key_that_was_rotated_is_not_rotated_again(server):
    key = server.key()
    await server.call("POST", f"/api/keys/{key.key.id}/rotate")
    answer = await server.call("POST", f"/api/keys/{key.key.id}/rotate")
    assert (answer.status, answer.error["code"]) == (409, "conflict")
    assert answer.headers["x-should-retry"] == "false"


@pytest.mark.parametrize("key_id", ["key_none", "a\0b", "ä", "x" * 500, "'; DROP TABLE keys"])
async def test_a_key_that_is_not_there_is_404(sqlite_server, key_id):
    for method, path in (("GET", ""), ("DELETE", ""), ("POST", "/revoke"), ("POST", "/rotate")):
        answer = await sqlite_server.call(method, f"/api/keys/{key_id}{path}")
        assert answer.status in (400, 404)
        assert answer.error["type"] == "invalid_request_error"


@pytest.mark.parametrize(
    ("query", "param"),
    [
        ("limit=0", "limit"),
        ("limit=x", "limit"),
        ("limit=5&limit=6", "limit"),
        ("status=dead", "status"),
        ("projekt=support", "projekt"),
    ],
)
async def test_a_wrong_query_is_400_and_named(sqlite_server, query, param):
    answer = await sqlite_server.call("GET", "/api/keys", query=query)
    assert (answer.status, answer.error["param"]) == (400, param)


async def test_text_that_postgresql_cannot_keep_is_400_like_any_other(server):
    for sent in (
        {"name": "a\0b"},
        {"name": "x", "project": "a\0b"},
        {"name": "x", "models": ["\0"]},
    ):
        assert (await server.call("POST", "/api/keys", json=sent)).status == 400
    for path in ("/api/keys/a\0b", "/api/projects/a\0b"):
        assert (await server.call("GET", path)).status == 400
    for query in ("after=%00", "project=%00"):
        assert (await server.call("GET", "/api/keys", query=query)).status == 400
    assert (await server.call("GET", "/api/keys", query="project=%ED%A0%80")).status == 200
