"""What each role sees in the console is what the API lets it see, and no further."""

from __future__ import annotations

import re
from typing import Any, get_args

import pytest

from consoles import RunningConsole, Visitor
from headgate.gateway.caller import Role
from headgate.intake.access.roles import permits
from headgate.intake.access.users import may_sign_in
from headgate.storage.schema import run_contents, runs

PAGES = {
    "/console/runs": "runs.read",
    "/console/workflows": "workflows.read",
    "/console/workflows/ticket-triage": "workflows.read",
    "/console/costs": "usage.read",
    "/console/keys": "keys.read",
    "/console/settings": "config.read",
    "/console/reviews": "runs.read",
}
SECRET = "what the customer wrote to us"


@pytest.fixture(scope="module")
def visitors(console: RunningConsole) -> dict[str, Visitor]:
    """Someone of each role, in a project `matrix`."""
    console.projects.create("matrix", "")
    return {
        role: console.signed_in(console.new_key(role, "matrix"))
        for role in get_args(Role)
        if may_sign_in(role)
    }


@pytest.fixture(scope="module")
def run_ids(console: RunningConsole) -> dict[str, str]:
    """A run in `matrix` and one in another project."""
    found = {}
    for number, project in enumerate(("matrix", "default")):
        run_id = found[project] = f"run_0600000000000{number}ofroles"
        row: dict[str, Any] = {
            "id": run_id, "project": project, "key_id": "key_x", "workflow": "ticket-triage",
            "version": "1.0.0", "digest": "sha256:0", "status": "completed", "fallback": False,
            "created_at_us": 1, "finished_at_us": 2, "steps": "[]", "trace_id": "0" * 32,
        }  # fmt: skip
        with console.database.begin() as connection:
            connection.execute(runs.insert().values(row))
            connection.execute(
                run_contents.insert().values(
                    run_id=run_id, input=f'{{"text": "{SECRET}"}}', output="{}", problems="[]"
                )
            )
    return found


@pytest.mark.parametrize("role", [role for role in get_args(Role) if may_sign_in(role)])
def test_a_role_sees_the_pages_of_its_permissions_and_links_to_no_other(
    console: RunningConsole, visitors: dict[str, Visitor], role: Role
):
    visitor = visitors[role]
    links = set(re.findall(r'<li><a href="([^"]+)"', visitor.get("/console/workflows").text))
    for path, permission in PAGES.items():
        page = visitor.get(path)
        allowed = permits(role, permission)  # type: ignore[arg-type]
        assert page.status == (200 if allowed else 403), (role, path)
        if path.count("/") == 2:
            assert (path in links) == allowed, (role, path)
        if not allowed:
            assert permission in page.text
    first = visitor.get("/console")
    if permits(role, "usage.read"):
        assert first.status == 200
    else:
        assert first.location == "/console/reviews"


def test_a_run_of_another_project_is_not_there(
    visitors: dict[str, Visitor], run_ids: dict[str, str]
):
    for role in ("developer", "reviewer"):
        assert visitors[role].get(f"/console/runs/{run_ids['matrix']}").status == 200
        page = visitors[role].get(f"/console/runs/{run_ids['default']}")
        assert page.status == 404
        assert SECRET not in page.text
        listed = visitors[role].get("/console/runs?project=default").text
        assert run_ids["default"] not in listed
    for role in ("admin", "operator", "auditor"):
        assert visitors[role].get(f"/console/runs/{run_ids['default']}").status == 200


def test_contents_are_only_for_those_who_may_see_them(
    visitors: dict[str, Visitor], run_ids: dict[str, str]
):
    for role, visitor in visitors.items():
        path = f"/console/runs/{run_ids['matrix']}"
        allowed = permits(role, "runs.read_contents")  # type: ignore[arg-type]
        assert (SECRET in visitor.get(path).text) == allowed, role
        assert visitor.get(path + "/input").status == (200 if allowed else 403), role
        files = visitor.get("/console/workflows/ticket-triage").text
        assert ("You triage support tickets" in files) == allowed, role


def test_who_may_not_run_workflows_or_make_keys_cannot_by_a_form(
    console: RunningConsole, visitors: dict[str, Visitor]
):
    keys = len(console.keys.list(limit=1000))
    for role, visitor in visitors.items():
        csrf = visitor.csrf("/console/workflows")
        ran = visitor.post(
            "/console/workflows/ticket-triage/runs",
            {"input": '{"subject": "a", "body": "b"}'}, csrf=csrf,
        )  # fmt: skip
        assert ran.status == (303 if permits(role, "workflows.run") else 403), (role, ran.text)
        made = visitor.post(
            "/console/keys", {"name": "x", "role": "admin", "project": "matrix"}, csrf=csrf
        )
        # Nobody but an administrator hands out an administrator's rights.
        assert made.status == (200 if role == "admin" else 403), role
    assert len(console.keys.list(limit=1000)) == keys + 1
