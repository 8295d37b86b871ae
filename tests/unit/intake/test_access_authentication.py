"""What may be relied on when a key is checked, with a database and clocks that the test holds."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from headgate.config.settings import AccessSettings
from headgate.errors import (
    AuthenticationError,
    DatabaseUnavailableError,
    PermissionDeniedError,
    UnavailableError,
)
from headgate.intake.access import authentication
from headgate.intake.access.authentication import Authenticator
from headgate.intake.access.key import Key
from headgate.intake.access.keys import StoredKey
from headgate.intake.access.secret import Secret

SECRET = Secret(b"s" * 32)
HERE = "192.0.2.1"


class Keys:
    """A database of keys that can be away, slow, and change between two looks."""

    def __init__(self) -> None:
        self.stored: dict[bytes, StoredKey] = {}
        self.changes = 1
        self.away = False
        self.broken = False
        self.lookups = 0
        self.open = threading.Event()
        self.open.set()
        self.after_reading = lambda: None

    def add(self, token: str, **fields: Any) -> None:
        digest = SECRET.token_digest(token.encode())
        archived = fields.pop("archived", False)
        known: dict[str, Any] = {
            "id": f"key_{token}",
            "project": "support",
            "name": token,
            "role": "app",
            "hint": "",
            "created_at_us": 0,
            "created_by": "command_line",
        }
        self.stored[digest] = StoredKey(Key(**(known | fields)), digest, archived)

    def find(self, digest: bytes) -> StoredKey | None:
        self.lookups += 1
        if self.away:
            raise DatabaseUnavailableError
        found = self.stored.get(digest)
        self.after_reading()
        assert self.open.wait(5)
        return found

    def revision(self) -> int:
        if self.broken:
            raise RuntimeError("not what anyone expects")
        if self.away:
            raise DatabaseUnavailableError
        return self.changes


class Clocks:
    """Both clocks stand still until the test moves them."""

    def __init__(self) -> None:
        self.seconds = 1_000_000.0

    def wall_us(self) -> int:
        return int(self.seconds * 1_000_000)

    def monotonic_s(self) -> float:
        return self.seconds


@pytest.fixture
def keys() -> Keys:
    keys = Keys()
    keys.add("hg_known")
    return keys


@pytest.fixture
def clocks() -> Clocks:
    return Clocks()


@pytest_asyncio.fixture
async def authenticator(keys: Keys, clocks: Clocks) -> AsyncIterator[Authenticator]:
    authenticator = Authenticator(
        keys,
        SECRET,
        AccessSettings(refresh_interval_s=0.01, max_staleness_s=30),
        clock_us=clocks.wall_us,
        monotonic_s=clocks.monotonic_s,
    )
    await authenticator.start()
    yield authenticator
    keys.open.set()
    await authenticator.stop()


def bearer(token: str) -> bytes:
    return f"Bearer {token}".encode()


async def test_a_valid_key_tells_who_asks(authenticator):
    caller = await authenticator.authenticate(bearer("hg_known"), HERE)
    assert (caller.key_id, caller.project, caller.role) == ("key_hg_known", "support", "app")


async def test_a_key_once_seen_is_not_looked_up_again(authenticator, keys):
    for _ in range(10):
        await authenticator.authenticate(bearer("hg_known"), HERE)
    assert authenticator.recall(bearer("hg_known"), HERE) is not None
    assert keys.lookups == 1


@pytest.mark.parametrize("header", [b"bearer hg_known", b"BEARER hg_known", b"Bearer  hg_known "])
async def test_the_scheme_may_be_written_in_any_case(authenticator, header):
    assert await authenticator.authenticate(header, HERE)


@pytest.mark.parametrize(
    "header",
    [
        None,
        b"",
        b"Bearer",
        b"hg_known",
        b"Basic aGc6",
        b"Bearer hg_kn\xffwn",
        b"Bearer " + b"x" * 9999,
    ],
)
async def test_a_request_without_a_valid_key_is_401(authenticator, header):
    with pytest.raises(AuthenticationError) as raised:
        await authenticator.authenticate(header, HERE)
    assert raised.value.status == 401


async def test_a_wrong_key_is_looked_up_once_and_never_quoted(authenticator, keys):
    for _ in range(3):
        with pytest.raises(AuthenticationError) as raised:
            await authenticator.authenticate(bearer("sk-wrong"), HERE)
        assert "sk-wrong" not in raised.value.message
    assert keys.lookups == 1


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"revoked_at_us": 5}, "key_revoked"),
        ({"expires_at_us": 5}, "key_expired"),
        ({"archived": True}, "project_archived"),
    ],
)
async def test_a_dead_key_is_401_and_told_why(authenticator, keys, fields, code):
    keys.add("hg_dead", **fields)
    for _ in range(2):
        with pytest.raises(AuthenticationError) as raised:
            await authenticator.authenticate(bearer("hg_dead"), HERE)
        assert raised.value.code == code


async def test_a_remembered_key_ends_at_its_expiry(authenticator, keys, clocks):
    keys.add("hg_brief", expires_at_us=clocks.wall_us() + 2_000_000)
    await authenticator.authenticate(bearer("hg_brief"), HERE)
    clocks.seconds += 1.9
    assert authenticator.recall(bearer("hg_brief"), HERE)
    clocks.seconds += 0.1
    with pytest.raises(AuthenticationError) as raised:
        authenticator.recall(bearer("hg_brief"), HERE)
    assert raised.value.code == "key_expired"


async def test_a_change_is_seen_without_being_told(authenticator, keys):
    await authenticator.authenticate(bearer("hg_known"), HERE)
    keys.add("hg_known", revoked_at_us=5)
    keys.changes += 1
    async with asyncio.timeout(2):
        while authenticator.recall(bearer("hg_known"), HERE) is not None:
            await asyncio.sleep(0.01)
    with pytest.raises(AuthenticationError):
        await authenticator.authenticate(bearer("hg_known"), HERE)


async def test_a_refusal_is_reconsidered_after_a_change(authenticator, keys):
    with pytest.raises(AuthenticationError):
        await authenticator.authenticate(bearer("hg_later"), HERE)
    keys.add("hg_later")
    keys.changes += 1
    await authenticator.refresh()
    assert await authenticator.authenticate(bearer("hg_later"), HERE)


async def test_a_change_during_a_lookup_does_not_leave_the_old_key_in_memory(authenticator, keys):
    keys.open.clear()
    reading = threading.Event()
    keys.after_reading = reading.set
    asking = asyncio.create_task(authenticator.authenticate(bearer("hg_known"), HERE))
    await asyncio.to_thread(reading.wait, 5)
    keys.add("hg_known", revoked_at_us=5)
    keys.changes += 1
    await authenticator.refresh()
    keys.open.set()
    with pytest.raises(AuthenticationError):
        await asking
    with pytest.raises(AuthenticationError):
        await authenticator.authenticate(bearer("hg_known"), HERE)


async def test_many_that_ask_at_once_cause_one_lookup(authenticator, keys):
    keys.open.clear()
    asking = [
        asyncio.create_task(authenticator.authenticate(bearer("hg_known"), HERE)) for _ in range(50)
    ]
    await asyncio.sleep(0.02)
    keys.open.set()
    assert len({caller.key_id for caller in await asyncio.gather(*asking)}) == 1
    assert keys.lookups == 1


async def test_a_client_that_goes_away_does_not_take_the_others_lookup_along(authenticator, keys):
    keys.open.clear()
    first = asyncio.create_task(authenticator.authenticate(bearer("hg_known"), HERE))
    await asyncio.sleep(0.02)
    second = asyncio.create_task(authenticator.authenticate(bearer("hg_known"), HERE))
    await asyncio.sleep(0)
    first.cancel()
    keys.open.set()
    assert (await second).key_id == "key_hg_known"
    assert first.cancelled()


class TestWhileTheDatabaseIsAway:
    async def test_an_unknown_key_is_503_because_nobody_can_say_that_it_is_wrong(
        self, authenticator, keys
    ):
        keys.away = True
        with pytest.raises(UnavailableError) as raised:
            await authenticator.authenticate(bearer("hg_other"), HERE)
        assert raised.value.status == 503
        keys.away = False
        with pytest.raises(AuthenticationError):
            await authenticator.authenticate(bearer("hg_other"), HERE)

    async def test_a_known_key_is_honoured_for_the_declared_time_and_again_after(
        self, authenticator, keys, clocks
    ):
        await authenticator.authenticate(bearer("hg_known"), HERE)
        keys.away = True
        await asyncio.sleep(0.03)
        clocks.seconds += 29
        assert authenticator.recall(bearer("hg_known"), HERE)
        clocks.seconds += 2
        with pytest.raises(UnavailableError):
            authenticator.recall(bearer("hg_known"), HERE)
        keys.away = False
        await authenticator.refresh()
        assert authenticator.recall(bearer("hg_known"), HERE)

    async def test_it_does_not_start(self, keys):
        keys.away = True
        authenticator = Authenticator(keys, SECRET, AccessSettings())
        with pytest.raises(DatabaseUnavailableError):
            await authenticator.start()
        await authenticator.stop()


async def test_before_it_is_started_nobody_comes_in(keys):
    authenticator = Authenticator(keys, SECRET, AccessSettings())
    with pytest.raises(UnavailableError):
        await authenticator.authenticate(bearer("hg_known"), HERE)
    await authenticator.stop()


async def test_looking_for_changes_survives_what_nobody_expected(authenticator, keys, caplog):
    keys.broken = True
    await asyncio.sleep(0.03)
    keys.broken = False
    await authenticator.authenticate(bearer("hg_known"), HERE)
    keys.add("hg_known", revoked_at_us=5)
    keys.changes += 1
    async with asyncio.timeout(2):
        while authenticator.recall(bearer("hg_known"), HERE) is not None:
            await asyncio.sleep(0.01)


class TestNetworks:
    @pytest.mark.parametrize(
        "address", ["10.1.2.3", "::ffff:10.1.2.3", "2001:db8::7", "2001:0DB8:0::7"]
    )
    async def test_a_key_is_taken_from_its_networks(self, authenticator, keys, address):
        keys.add("hg_bound", networks=("10.0.0.0/8", "2001:db8::/32"))
        assert await authenticator.authenticate(bearer("hg_bound"), address)

    @pytest.mark.parametrize("address", ["11.0.0.1", "::ffff:11.0.0.1", "2001:db9::", None, "?"])
    async def test_from_elsewhere_it_is_403(self, authenticator, keys, address):
        keys.add("hg_bound", networks=("10.0.0.0/8", "2001:db8::/32"))
        for _ in range(2):
            with pytest.raises(PermissionDeniedError) as raised:
                await authenticator.authenticate(bearer("hg_bound"), address)
            assert raised.value.code == "ip_not_allowed"


async def test_memory_is_bounded_and_forgets_the_longest_unused(authenticator, keys, monkeypatch):
    monkeypatch.setattr(authentication, "_MAX_REMEMBERED", 3)
    for name in ("hg_1", "hg_2", "hg_3"):
        keys.add(name)
        await authenticator.authenticate(bearer(name), HERE)
    authenticator.recall(bearer("hg_1"), HERE)
    await authenticator.authenticate(bearer("hg_known"), HERE)
    assert authenticator.recall(bearer("hg_1"), HERE)
    assert authenticator.recall(bearer("hg_2"), HERE) is None
    for number in range(10):
        with pytest.raises(AuthenticationError):
            await authenticator.authenticate(bearer(f"wrong{number}"), HERE)
    assert len(authenticator._refusals) == 3


async def test_more_lookups_than_the_bound_are_503(authenticator, keys, monkeypatch):
    monkeypatch.setattr(authentication, "_MAX_LOADS", 2)
    keys.open.clear()
    asking = [
        asyncio.create_task(authenticator.authenticate(bearer(f"hg_{number}"), HERE))
        for number in range(2)
    ]
    await asyncio.sleep(0.01)
    with pytest.raises(UnavailableError) as raised:
        await authenticator.authenticate(bearer("hg_known"), HERE)
    assert raised.value.code == "overloaded"
    keys.open.set()
    await asyncio.gather(*asking, return_exceptions=True)
    assert await authenticator.authenticate(bearer("hg_known"), HERE)


async def test_a_database_that_hangs_is_503_in_time(authenticator, keys, monkeypatch):
    monkeypatch.setattr(authentication, "_LOAD_TIMEOUT_S", 0.05)
    keys.open.clear()
    with pytest.raises(UnavailableError):
        await authenticator.authenticate(bearer("hg_known"), HERE)


async def test_a_stop_ends_pending_lookups(keys, clocks):
    authenticator = Authenticator(keys, SECRET, AccessSettings())
    await authenticator.start()
    keys.open.clear()
    asking = asyncio.create_task(authenticator.authenticate(bearer("hg_known"), HERE))
    await asyncio.sleep(0.02)
    await authenticator.stop()
    with pytest.raises(asyncio.CancelledError):
        await asking
    keys.open.set()
