"""Nobody hands out more than they have."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from headgate.errors import NotFoundError, PermissionDeniedError
from headgate.gateway.caller import Role
from headgate.intake.access.delegation import (
    allowed_to_create,
    allowed_to_rotate,
    check_may_revoke,
    is_within,
)
from headgate.intake.access.key import Key, NewKey
from headgate.intake.access.roles import RIGHTS, ROLES

DEVELOPER = Key(
    id="key_dev",
    project="support",
    name="dev",
    role="developer",
    hint="",
    created_at_us=0,
    created_by="command_line",
)
ADMIN = replace(DEVELOPER, id="key_admin", role="admin", project="default")
OPERATOR = replace(ADMIN, id="key_operator", role="operator")
APP = NewKey(project="support", name="app", role="app")
REACH = {"key": 0, "project": 1, "all": 2}


@pytest.mark.parametrize("role", ROLES)
def test_no_role_creates_one_with_more_rights_or_a_wider_reach(role):
    own = RIGHTS[role]
    for made in own.creates:
        assert RIGHTS[made].permissions <= own.permissions
        assert REACH[RIGHTS[made].reach] <= REACH[own.reach]
        assert RIGHTS[made].creates <= own.creates


@pytest.mark.parametrize("role", ROLES)
def test_who_may_not_manage_keys_creates_and_revokes_none(role):
    own = RIGHTS[role]
    if "keys.manage" not in own.permissions:
        assert not own.creates
        assert not own.revokes


def test_the_table_knows_every_role():
    assert set(ROLES) == set(get_args(Role)) == set(RIGHTS)


def test_a_developer_makes_app_keys_of_its_project_only():
    assert allowed_to_create(DEVELOPER, APP) == APP
    with pytest.raises(PermissionDeniedError) as raised:
        allowed_to_create(DEVELOPER, replace(APP, project="sales"))
    assert raised.value.param == "project"
    with pytest.raises(PermissionDeniedError) as raised:
        allowed_to_create(DEVELOPER, replace(APP, role="developer"))
    assert raised.value.param == "role"


def test_an_operator_cannot_make_a_key_that_sees_contents():
    for role in ("admin", "operator", "developer", "reviewer", "app"):
        with pytest.raises(PermissionDeniedError):
            allowed_to_create(OPERATOR, replace(APP, role=role))
    allowed_to_create(OPERATOR, replace(APP, role="auditor"))


@pytest.mark.parametrize("field", ["models", "workflows"])
def test_a_limited_key_makes_keys_within_its_limits(field):
    creator = replace(DEVELOPER, **{field: ("gpt-4*", "o3")})
    for inside in [("gpt-4o",), ("gpt-4o*", "o3"), ("gpt-4*",)]:
        allowed_to_create(creator, replace(APP, **{field: inside}))
    for outside in [(), ("*",), ("gpt-*",), ("o3*",), ("gpt-4o", "o4-mini")]:
        with pytest.raises(PermissionDeniedError) as raised:
            allowed_to_create(creator, replace(APP, **{field: outside}))
        assert raised.value.param is not None
        assert raised.value.param.startswith(field)


def test_a_key_bound_to_networks_makes_keys_within_them():
    creator = replace(DEVELOPER, networks=("10.0.0.0/8", "2001:db8::/32"))
    allowed_to_create(creator, replace(APP, networks=("10.1.0.0/16", "2001:db8:1::/48")))
    for outside in [(), ("0.0.0.0/0",), ("11.0.0.0/8",), ("10.0.0.0/7",), ("2001:db8::/31",)]:
        with pytest.raises(PermissionDeniedError):
            allowed_to_create(creator, replace(APP, networks=outside))


def test_a_key_that_ends_makes_none_that_outlives_it():
    creator = replace(DEVELOPER, expires_at_us=1000)
    assert allowed_to_create(creator, APP).expires_at_us == 1000
    assert allowed_to_create(creator, replace(APP, expires_at_us=999)).expires_at_us == 999
    with pytest.raises(PermissionDeniedError) as raised:
        allowed_to_create(creator, replace(APP, expires_at_us=1001))
    assert raised.value.param == "expires_at"


def test_a_key_rotates_itself_but_not_to_outlive_what_it_was():
    creator = replace(DEVELOPER, expires_at_us=1000)
    assert allowed_to_rotate(creator, creator, None) == 1000
    with pytest.raises(PermissionDeniedError):
        allowed_to_rotate(creator, creator, 1001)


def test_a_developer_rotates_its_projects_app_keys_and_no_colleagues_key():
    app = replace(DEVELOPER, id="key_app", role="app")
    assert allowed_to_rotate(DEVELOPER, app, None) is None
    with pytest.raises(PermissionDeniedError):
        allowed_to_rotate(DEVELOPER, replace(DEVELOPER, id="key_other"), None)


def test_a_key_beyond_reach_is_as_if_it_were_not_there():
    foreign = replace(DEVELOPER, id="key_x", role="app", project="sales")
    for act in (
        lambda: allowed_to_rotate(DEVELOPER, foreign, None),
        lambda: check_may_revoke(DEVELOPER, foreign),
    ):
        with pytest.raises(NotFoundError):
            act()


def test_an_operator_revokes_what_it_could_not_create_but_no_administrator():
    check_may_revoke(OPERATOR, DEVELOPER)
    with pytest.raises(PermissionDeniedError):
        check_may_revoke(OPERATOR, ADMIN)
    check_may_revoke(OPERATOR, OPERATOR)


texts = st.text("ab*", max_size=6)


@given(narrow=texts, wide=texts, sample=st.text("ab", max_size=8))
def test_what_a_narrower_pattern_allows_the_wider_allows_too(narrow, wide, sample):
    if is_within(narrow, (wide,)) and fnmatchcase(sample, narrow):
        assert fnmatchcase(sample, wide)
