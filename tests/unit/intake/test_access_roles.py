"""The table of roles, and the page that shows it."""

from __future__ import annotations

from pathlib import Path

import pytest

from headgate.intake.access.roles import PERMISSIONS, RIGHTS, permits, roles_table_markdown

PAGE = Path(__file__).parents[3] / "docs" / "reference" / "roles.md"


def test_the_page_shows_the_table_that_the_server_goes_by():
    assert roles_table_markdown() in PAGE.read_text("utf-8")


def test_an_administrator_may_do_everything():
    assert all(permits("admin", permission) for permission in PERMISSIONS)


@pytest.mark.parametrize("role", ["operator", "auditor"])
def test_who_runs_or_audits_the_server_neither_calls_models_nor_sees_contents(role):
    for permission in ("models.call", "workflows.run", "runs.read_contents"):
        assert not permits(role, permission)


def test_an_auditor_changes_nothing():
    assert not [p for p in RIGHTS["auditor"].permissions if not p.endswith(".read")]


def test_an_application_reaches_only_what_it_made():
    assert RIGHTS["app"].reach == "key"
    assert not permits("app", "usage.read")
    assert not permits("app", "keys.read")
