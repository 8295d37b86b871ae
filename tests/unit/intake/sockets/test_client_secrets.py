"""Client secrets: signed here, good for a while, for one key's sessions."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headgate.errors import AuthenticationError, InvalidRequestError, PermissionDeniedError
from headgate.gateway.caller import Caller
from headgate.intake.access.secret import Secret
from headgate.intake.sockets.client_secrets import (
    PREFIX,
    ClientSecrets,
    ExpiresAfter,
    NewClientSecret,
)

NOW_S = 1_800_000_000.0
CALLER = Caller("key_1", "default", "app")


def secrets(now_s: float = NOW_S, secret: bytes = b"s" * 32) -> ClientSecrets:
    return ClientSecrets(Secret(secret), lasts_s=600, clock_s=lambda: now_s)


def made(session: dict[str, Any] | None = None, *, seconds: int | None = None, **more: Any) -> Any:
    new = NewClientSecret(session, ExpiresAfter(seconds) if seconds else None)
    return secrets().made(more.pop("caller", CALLER), new, feature="f", user_hash="u")


def test_what_was_put_in_comes_out():
    session = {"type": "realtime", "model": "voice", "instructions": "Speak of rivers."}
    answer = made(session)
    assert answer["value"].startswith(PREFIX)
    assert answer["expires_at"] == NOW_S + 600
    assert answer["session"]["object"] == "realtime.session"
    granted = secrets().read(answer["value"])
    assert (granted.key_id, granted.feature, granted.user_hash) == ("key_1", "f", "u")
    assert granted.session == session
    assert granted.model == "voice"


def test_it_ends_when_it_says():
    value = made(seconds=10)["value"]
    assert secrets(NOW_S + 9).read(value)
    with pytest.raises(AuthenticationError) as raised:
        secrets(NOW_S + 10).read(value)
    assert raised.value.code == "client_secret_expired"


def test_another_installations_is_none():
    with pytest.raises(AuthenticationError):
        secrets(secret=b"t" * 32).read(made()["value"])


@given(st.integers(0, 200), st.sampled_from("ABCabc019-_"))
def test_one_that_was_changed_anywhere_is_none(at: int, letter: str):
    value = made({"model": "voice"})["value"]
    at = len(PREFIX) + at % (len(value) - len(PREFIX) - 1)
    if value[at] != letter:
        with pytest.raises(AuthenticationError):
            secrets().read(value[:at] + letter + value[at + 1 :])


@given(st.text())
def test_no_text_is_a_fault(text: str):
    with pytest.raises(AuthenticationError):
        secrets().read(PREFIX + text)


def test_a_key_of_certain_models_makes_secrets_for_those_only():
    bound = Caller("key_1", "default", "app", models=("gpt-realtime",))
    assert made({"model": "gpt-realtime"}, caller=bound)
    for session in ({"model": "gpt-realtime-mini"}, None):
        with pytest.raises(PermissionDeniedError):
            made(session, caller=bound)


def test_what_its_holder_must_not_read_is_not_put_in():
    for name in ("authorization", "headers"):
        tool = {"type": "mcp", "server_label": "x", name: "secret"}
        with pytest.raises(InvalidRequestError):
            made({"tools": [tool]})


def test_a_session_that_no_header_could_carry_is_refused():
    from random import Random

    letters = "".join(Random(1).choices("abcdefghijklmnopqrstuvwxyz", k=9_000))
    with pytest.raises(InvalidRequestError):
        made({"instructions": letters})
