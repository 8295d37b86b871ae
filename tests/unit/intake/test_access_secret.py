"""The hashes under which keys and end users are kept."""

from __future__ import annotations

import hmac

from hypothesis import given
from hypothesis import strategies as st

from headgate.intake.access.secret import KeyedHash, Secret, user_hash


@given(key=st.binary(max_size=200), message=st.binary(max_size=600))
def test_the_keyed_hash_is_hmac_sha256(key, message):
    assert KeyedHash(key).digest(message) == hmac.digest(key, message, "sha256")


def test_a_key_is_stored_under_the_hmac_of_its_secret():
    assert Secret(b"s" * 32).token_digest(b"hg_x") == hmac.digest(b"s" * 32, b"hg_x", "sha256")


@given(st.text())
def test_an_end_user_is_32_hex_digits_that_only_this_installation_makes(user):
    digits = user_hash(Secret(b"a" * 32), user)
    assert len(digits) == 32
    assert set(digits) <= set("0123456789abcdef")
    assert digits == user_hash(Secret(b"a" * 32), user)
    assert digits != user_hash(Secret(b"b" * 32), user)


def test_a_users_hash_cannot_pass_for_a_keys():
    secret = Secret(b"a" * 32)
    assert secret.user_digest(b"hg_x") != secret.token_digest(b"hg_x")


def test_a_secret_does_not_show_itself():
    assert "a" * 8 not in repr(Secret(b"a" * 32))
