"""The order in which a request is judged: its key, its role, and only then what it says."""

from __future__ import annotations


async def test_a_body_is_not_looked_at_before_the_key(sqlite_server):
    for key, status in ((None, 401), (sqlite_server.key("app"), 403)):
        answer = await sqlite_server.call("POST", "/api/keys", key=key, body=b"{nonsense")
        assert answer.status == status


async def test_a_refusal_names_the_permission_that_is_lacking(sqlite_server):
    answer = await sqlite_server.call("GET", "/api/usage", key=sqlite_server.key("reviewer"))
    assert answer.status == 403
    assert "`usage.read`" in answer.error["message"]


async def test_the_hot_paths_endpoints_are_listed_but_not_served_here(sqlite_server):
    listed = {e.path: e for e in sqlite_server.app.endpoints if e.handler is None}
    assert "/v1/chat/completions" in listed
    assert all(e.permission == "models.call" for e in listed.values())
    assert (await sqlite_server.call("POST", "/v1/chat/completions", json={})).status == 404
    wrong_method = await sqlite_server.call("GET", "/v1/embeddings")
    assert wrong_method.status == 405
    assert wrong_method.headers["allow"] == "POST"
