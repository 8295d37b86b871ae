"""`/api/projects` as its users meet it, on both databases."""

from __future__ import annotations


async def test_a_project_is_created_shown_listed_and_archived(server):
    made = await server.call("POST", "/api/projects", json={"name": "hr", "description": "People"})
    assert made.status == 201
    assert made.json()["status"] == "live"
    assert (await server.call("GET", "/api/projects/hr")).json() == made.json()
    key = server.key("auditor", project="hr")
    assert (await server.call("GET", "/api/usage", key=key)).status == 200
    archived = await server.call("POST", "/api/projects/hr/archive")
    assert archived.json()["status"] == "archived"
    answer = await server.call("GET", "/api/usage", key=key)
    assert (answer.status, answer.error["code"]) == (401, "project_archived")
    names = [p["name"] for p in (await server.call("GET", "/api/projects")).json()["data"]]
    assert names == ["default", "hr", "sales", "support"]


async def test_projects_come_in_pages(server):
    first = (await server.call("GET", "/api/projects", query="limit=2")).json()
    assert (len(first["data"]), first["has_more"]) == (2, True)
    rest = (await server.call("GET", "/api/projects", query="limit=2&after=sales")).json()
    assert ([p["name"] for p in rest["data"]], rest["has_more"]) == (["support"], False)


async def test_a_developer_sees_its_own_project_only(server):
    developer = server.key("developer")
    listed = (await server.call("GET", "/api/projects", key=developer)).json()["data"]
    assert [project["name"] for project in listed] == ["support"]
    assert (await server.call("GET", "/api/projects/support", key=developer)).status == 200
    assert (await server.call("GET", "/api/projects/sales", key=developer)).status == 404


async def test_a_name_that_is_taken_is_409(server):
    answer = await server.call("POST", "/api/projects", json={"name": "support"})
    assert (answer.status, answer.error["param"]) == (409, "name")


async def test_a_bad_name_is_400(server):
    for name in ("", "No Such", "a\0b"):
        answer = await server.call("POST", "/api/projects", json={"name": name})
        assert (answer.status, answer.error["param"]) == (400, "name")


async def test_nobody_closes_the_project_of_the_key_they_use(server):
    operator = server.key("operator")
    answer = await server.call("POST", "/api/projects/support/archive", key=operator)
    assert answer.status == 409
    assert (await server.call("POST", "/api/projects/default/archive", key=operator)).status == 409
    assert (await server.call("POST", "/api/projects/none/archive")).status == 404
