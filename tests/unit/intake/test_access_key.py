"""When a key lives, and which descriptions of one are valid."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from headgate.errors import ConflictError, InvalidRequestError
from headgate.intake.access.key import (
    MAX_OVERLAP_S,
    Key,
    NewKey,
    checked,
    expiry_after_rotation,
)

NOW_US = 1_800_000_000_000_000
KEY = Key(
    id="key_1",
    project="default",
    name="app",
    role="app",
    hint="",
    created_at_us=NOW_US - 1,
    created_by="command_line",
)
NEW = NewKey(project="default", name="app")
times = st.integers(0, 2 * NOW_US)


@given(now=times, expires=times)
def test_a_key_ends_at_its_expiry_to_the_microsecond(now, expires):
    status = replace(KEY, expires_at_us=expires).status_at(now)
    assert (status == "live") == (now < expires)


@given(now=times, expires=st.none() | times, revoked=times)
def test_a_revoked_key_is_revoked_whenever_one_looks(now, expires, revoked):
    key = replace(KEY, expires_at_us=expires, revoked_at_us=revoked)
    assert key.status_at(now) == "revoked"


@given(expires=st.none() | times, overlap_s=st.integers(0, MAX_OVERLAP_S))
def test_rotation_never_lengthens_the_old_keys_life(expires, overlap_s):
    old = replace(KEY, expires_at_us=expires)
    if old.status_at(NOW_US) != "live":
        with pytest.raises(ConflictError):
            expiry_after_rotation(old, now_us=NOW_US, overlap_s=overlap_s)
        return
    ends_us = expiry_after_rotation(old, now_us=NOW_US, overlap_s=overlap_s)
    assert ends_us == min(NOW_US + overlap_s * 1_000_000, expires or ends_us)
    rotated = replace(old, expires_at_us=ends_us)
    assert rotated.status_at(ends_us) == "expired"
    if overlap_s and expires is None:
        assert rotated.status_at(ends_us - 1) == "live"


@pytest.mark.parametrize("overlap_s", [-1, MAX_OVERLAP_S + 1])
def test_an_overlap_out_of_bounds_is_refused(overlap_s):
    with pytest.raises(InvalidRequestError) as raised:
        expiry_after_rotation(KEY, now_us=NOW_US, overlap_s=overlap_s)
    assert raised.value.param == "overlap_s"


def test_a_key_is_rotated_once():
    with pytest.raises(ConflictError, match="key_2"):
        expiry_after_rotation(replace(KEY, replaced_by="key_2"), now_us=NOW_US, overlap_s=0)


@pytest.mark.parametrize(
    ("wrong", "param"),
    [
        ({"name": ""}, "name"),
        ({"name": "  "}, "name"),
        ({"name": "x" * 129}, "name"),
        ({"name": "a\nb"}, "name"),
        ({"name": "a\0b"}, "name"),
        ({"role": "root"}, "role"),
        ({"models": ("gpt-4o", "")}, "models[1]"),
        ({"models": ("gpt-[45]",)}, "models[0]"),
        ({"models": ("gpt-?",)}, "models[0]"),
        ({"models": ("m",) * 101}, "models"),
        ({"workflows": ("a b",)}, "workflows[0]"),
        ({"networks": ("10.0.0.0/8", "10.0.0.7/8")}, "networks[1]"),
        ({"networks": ("everywhere",)}, "networks[0]"),
        ({"networks": ("10.0.0.0/8",) * 101}, "networks"),
        ({"expires_at_us": NOW_US}, "expires_at"),
    ],
)
def test_a_wrong_description_is_refused_by_the_name_of_its_field(wrong, param):
    with pytest.raises(InvalidRequestError) as raised:
        checked(replace(NEW, **wrong), NOW_US)
    assert raised.value.param == param
    assert f"`{param}`" in raised.value.message


def test_networks_are_kept_in_one_form():
    wanted = replace(NEW, networks=(" 10.0.0.0/8", "192.0.2.1", "2001:DB8::/32", "::ffff:1.2.3.4"))
    assert checked(wanted, NOW_US).networks == (
        "10.0.0.0/8",
        "192.0.2.1/32",
        "2001:db8::/32",
        "1.2.3.4/32",
    )
