"""Every endpoint with every role, over HTTP: what docs/reference/roles.md says is what happens."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from servers import RunningServer, end_server, start_server, until
from upstreams import Upstream

ROLES = ("admin", "operator", "developer", "reviewer", "auditor", "app")

_TABLE = Path(__file__).parents[2] / "docs" / "reference" / "roles.md"
_OPEN = {"GET /healthz", "GET /readyz", "GET /openapi.json"}


def _documented() -> dict[str, dict[str, bool]]:
    """Permission → role → whether the page says yes."""
    found = {}
    for line in _TABLE.read_text().splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if permission := re.search(r"\(`([a-z_.]+)`\)$", cells[0]):
            assert set(cells[1:]) <= {"yes", "no"}
            found[permission[1]] = dict(zip(ROLES, (c == "yes" for c in cells[1:]), strict=True))
    return found


@pytest.fixture(scope="module")
def keys(gateway: RunningServer) -> dict[str, str]:
    """A key of each role, in a project of their own."""
    assert gateway.post("/api/projects", {"name": "matrix"}).status == 201
    return {role: gateway.new_key(role=role, project="matrix") for role in ROLES}


def _operations(gateway: RunningServer) -> list[tuple[str, str, str | None]]:
    """Method, path and permission of everything that the server says it answers."""
    paths = gateway.get("/openapi.json", key=None).json()["paths"]
    return [
        (method.upper(), path, operation.get("x-headgate-permission"))
        for path, operations in paths.items()
        for method, operation in operations.items()
    ]


def _asked(gateway: RunningServer, method: str, path: str, key: str | None):
    body = {} if method == "POST" else None
    return gateway.request(method, re.sub(r"\{\w+\}", "nothing-there", path), body, key=key)


@pytest.mark.parametrize("role", ROLES)
def test_a_role_may_do_what_the_page_says_and_nothing_else(
    gateway: RunningServer, keys: dict[str, str], role: str
):
    documented = _documented()
    walked = 0
    for method, path, permission in _operations(gateway):
        answer = _asked(gateway, method, path, keys[role])
        what = f"{method} {path} as {role}: {answer.status} {answer.body[:200]!r}"
        if permission is None or documented[permission][role]:
            assert answer.status not in (401, 403), what
            # What goes on to the provider may be refused there: then it was let in here.
            assert answer.status < 500 or answer.error["type"] == "upstream_error", what
        else:
            assert answer.status == 403, what
            assert answer.error["type"] == "permission_error", what
            assert permission in answer.error["message"], what
        walked += 1
    assert walked >= 25


def test_without_a_key_only_what_needs_none_is_answered(gateway: RunningServer):
    answered = set()
    for method, path, _ in _operations(gateway):
        answer = _asked(gateway, method, path, None)
        if answer.status != 401:
            answered.add(f"{method} {path}")
        else:
            assert answer.error["code"] == "missing_api_key"
    # The tests ask from 127.0.0.1, to which the figures are open.
    assert answered == {*_OPEN, "GET /metrics"}


def test_every_permission_of_the_page_guards_something(gateway: RunningServer):
    guarding = {permission for _, _, permission in _operations(gateway)}
    assert set(_documented()) - guarding <= {"runs.read_contents"}


def test_what_lies_beyond_a_project_is_answered_as_if_it_were_not_there(
    gateway: RunningServer, keys: dict[str, str], upstream: Upstream, model: str
):
    elsewhere = gateway.new_key_object()
    gateway.chat(model, key=elsewhere["key"])
    developer = keys["developer"]
    shown = gateway.get(f"/api/keys/{elsewhere['id']}", key=developer)
    nowhere = gateway.get("/api/keys/key_nowhere", key=developer)
    assert shown.status == nowhere.status == 404
    assert shown.error["code"] == nowhere.error["code"]
    assert gateway.request("DELETE", f"/api/keys/{elsewhere['id']}", key=developer).status == 404
    assert gateway.chat(model, key=elsewhere["key"]).status == 200
    listed = gateway.get("/api/keys?limit=1000", key=developer).json()["data"]
    assert {key["project"] for key in listed} == {"matrix"}
    assert until(lambda: len(gateway.records(key_id=elsewhere["id"])) == 2, 3)
    mine = gateway.get("/api/usage?group_by=project", key=developer).json()
    assert {row["group"]["project"] for row in mine["data"]} <= {"matrix"}
    assert gateway.get("/api/usage?project=default", key=developer).status in (403, 404)


@pytest.mark.parametrize(
    ("maker", "wanted", "allowed"),
    [
        ("developer", {"role": "app"}, True),
        ("developer", {"role": "developer"}, False),
        ("developer", {"role": "app", "project": "default"}, False),
        ("operator", {"role": "auditor"}, True),
        ("operator", {"role": "admin"}, False),
        ("operator", {"role": "app"}, False),
        ("app", {"role": "app"}, False),
        ("auditor", {"role": "auditor"}, False),
    ],
)
def test_nobody_makes_a_key_with_more_rights_than_their_own(
    gateway: RunningServer, keys: dict[str, str], maker: str, wanted: dict[str, Any], allowed: bool
):
    body = {"name": "made", "project": "matrix", **wanted}
    answer = gateway.post("/api/keys", body, key=keys[maker])
    if allowed:
        assert answer.status == 201
    else:
        assert answer.status in (403, 404)
        assert answer.error["message"]


def test_a_key_that_has_expired_opens_nothing(gateway: RunningServer, upstream: Upstream):
    past = gateway.post("/api/keys", {"name": "x", "expires_at": int(time.time()) - 5})
    assert past.status == 400
    soon = gateway.new_key(expires_at=int(time.time()) + 2)
    assert gateway.chat("expires", key=soon).status == 200
    time.sleep(2.1)
    refused = gateway.chat("expires", key=soon)
    assert (refused.status, refused.error["code"]) == (401, "key_expired")


def test_a_rotated_key_works_on_for_the_overlap_and_no_longer(
    gateway: RunningServer, upstream: Upstream
):
    old = gateway.new_key_object()
    new = gateway.post(f"/api/keys/{old['id']}/rotate", {"overlap_s": 2}).json()
    assert new["key"] != old["key"]
    assert gateway.chat("rotated", key=old["key"]).status == 200
    assert gateway.chat("rotated", key=new["key"]).status == 200
    time.sleep(2.1)
    assert gateway.chat("rotated", key=old["key"]).status == 401
    assert gateway.chat("rotated", key=new["key"]).status == 200


def test_an_archived_projects_keys_open_nothing(gateway: RunningServer, upstream: Upstream):
    assert gateway.post("/api/projects", {"name": "gone"}).status == 201
    key = gateway.new_key(project="gone")
    assert gateway.chat("archived", key=key).status == 200
    assert gateway.post("/api/projects/gone/archive", None).status == 200
    assert gateway.chat("archived", key=key).status == 401


NETWORKS = """
server:
  trusted_proxies: ["127.0.0.1/32", "10.9.0.0/16"]
  metrics_open_to: []
"""


@pytest.fixture(scope="module")
def proxied(
    upstream: Upstream, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RunningServer]:
    """A server that believes the proxy on this machine."""
    server = start_server(
        tmp_path_factory.mktemp("proxied") / "server", settings=NETWORKS, upstream=upstream
    )
    yield server
    end_server(server)


@pytest.fixture(scope="module")
def limited(proxied: RunningServer) -> str:
    """A key for two networks."""
    return proxied.new_key(networks=["10.0.0.0/8", "2001:db8::/32"])


def test_a_key_is_refused_from_outside_its_networks(gateway: RunningServer, upstream: Upstream):
    inside = gateway.new_key(networks=["127.0.0.0/8"])
    outside = gateway.new_key(networks=["10.0.0.0/8", "2001:db8::/32"])
    assert gateway.chat("networks", key=inside).status == 200
    assert gateway.get("/api/workflows", key=inside).status == 200
    for answer in (
        gateway.chat("networks", key=outside),
        gateway.get("/api/workflows", key=outside),
        # Nobody declared a proxy here, so what the header claims is worth nothing.
        gateway.chat("networks", key=outside, headers={"x-forwarded-for": "10.0.0.1"}),
    ):
        assert (answer.status, answer.error["code"]) == (403, "ip_not_allowed")


@pytest.mark.parametrize(
    ("forwarded", "allowed"),
    [
        ("10.1.2.3", True),
        ("203.0.113.9, 10.1.2.3", True),
        ("10.1.2.3, 203.0.113.9", False),
        ("10.1.2.3, 10.9.0.1", True),
        ("203.0.113.9", False),
        ("2001:db8::7", True),
        ("[2001:db8::7]:4711", True),
        ("2001:db9::7", False),
        ("::ffff:10.1.2.3", True),
        ("unknown", False),
        ("", False),
        (None, False),
    ],
)
def test_behind_a_trusted_proxy_the_client_is_who_the_proxy_says(
    proxied: RunningServer, limited: str, forwarded: str | None, allowed: bool
):
    headers = {} if forwarded is None else {"x-forwarded-for": forwarded}
    for answer in (
        proxied.chat("networks", key=limited, headers=headers),
        proxied.get("/api/workflows", key=limited, headers=headers),
    ):
        assert answer.status == (200 if allowed else 403), answer.body


def test_figures_need_a_key_from_where_they_are_not_open(
    proxied: RunningServer, gateway: RunningServer, keys: dict[str, str]
):
    assert proxied.get("/metrics", key=None).status == 401
    assert proxied.get("/metrics").status == 200
    assert gateway.get("/metrics", key=None).status == 200
    through_a_proxy = {"x-forwarded-for": "203.0.113.9"}
    assert gateway.get("/metrics", key=None, headers=through_a_proxy).status == 401
    assert gateway.get("/metrics", key=keys["auditor"], headers=through_a_proxy).status == 200
