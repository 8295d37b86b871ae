"""The installation's secret and the administrator's key at the start, on both databases."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from headgate.errors import ConfigError
from headgate.intake.access.first_key import ensure_admin_key
from headgate.intake.access.key import NewKey
from headgate.intake.access.keys import KeyStore
from headgate.intake.access.projects import ProjectStore, wall_clock_us
from headgate.intake.access.secret import Secret, load_secret
from headgate.storage import Database

GIVEN = "hg_given-by-the-environment-0123456789"
OTHER = "hg_another-one-from-the-environment-01"


class TestSecret:
    def test_it_is_made_once_and_stays(self, database):
        first = load_secret(database, None)
        assert load_secret(database, None).fingerprint == first.fingerprint

    def test_processes_that_start_together_agree_on_it(self, database_url):
        together = threading.Barrier(4)

        def start(_: int) -> str:
            database = Database(database_url)
            together.wait(5)
            fingerprint = load_secret(database, None).fingerprint
            database.close()
            return fingerprint

        with ThreadPoolExecutor(4) as threads:
            assert len(set(threads.map(start, range(4)))) == 1

    def test_the_environments_is_used_and_not_stored(self, database):
        given = "e" * 32
        secret = load_secret(database, given)
        assert secret.fingerprint == Secret(given.encode()).fingerprint
        assert load_secret(database, given).fingerprint == secret.fingerprint
        with pytest.raises(ConfigError, match="not set now"):
            load_secret(database, None)

    def test_a_short_one_is_refused(self, database):
        with pytest.raises(ConfigError, match="32"):
            load_secret(database, "e" * 31)

    def test_a_changed_one_is_refused_and_told_what_to_do(self, database):
        load_secret(database, "e" * 32)
        with pytest.raises(ConfigError, match="set it back"):
            load_secret(database, "f" * 32)

    def test_one_that_differs_from_the_databases_own_is_refused(self, database):
        load_secret(database, None)
        with pytest.raises(ConfigError, match="unset it"):
            load_secret(database, "f" * 32)


@pytest.fixture
def secret(database: Database) -> Secret:
    return load_secret(database, None)


@pytest.fixture
def keys(database: Database, secret: Secret) -> KeyStore:
    return KeyStore(database, secret)


class TestAdminKey:
    @pytest.fixture
    def status(self, keys, secret):
        def status(plaintext: str) -> str:
            found = keys.find(secret.token_digest(plaintext.encode()))
            assert found is not None
            assert found.key.role == "admin"
            return found.key.status_at(wall_clock_us())

        return status

    def test_the_first_start_makes_one_and_the_next_does_not(self, database, secret, status):
        shown = ensure_admin_key(database, secret, None)
        assert shown is not None
        assert shown.startswith("hg_")
        assert status(shown) == "live"
        assert ensure_admin_key(database, secret, None) is None

    def test_processes_that_start_together_make_one(self, database_url, secret, keys):
        together = threading.Barrier(4)

        def start(_: int) -> str | None:
            database = Database(database_url)
            together.wait(5)
            shown = ensure_admin_key(database, secret, None)
            database.close()
            return shown

        with ThreadPoolExecutor(4) as threads:
            shown = [plaintext for plaintext in threads.map(start, range(4)) if plaintext]
        assert len(shown) == 1
        assert len(keys.list()) == 1

    def test_the_environments_works_and_is_not_shown(self, database, secret, keys, status):
        for _ in range(2):
            assert ensure_admin_key(database, secret, GIVEN) is None
        assert status(GIVEN) == "live"
        assert [key.created_by for key in keys.list()] == ["environment"]

    def test_processes_that_start_together_with_it_agree(self, database_url, secret, keys):
        together = threading.Barrier(4)

        def start(_: int) -> None:
            database = Database(database_url)
            together.wait(5)
            ensure_admin_key(database, secret, GIVEN)
            database.close()

        with ThreadPoolExecutor(4) as threads:
            list(threads.map(start, range(4)))
        assert len(keys.list()) == 1

    def test_another_in_the_environment_ends_the_one_before(self, database, secret, status):
        ensure_admin_key(database, secret, GIVEN)
        ensure_admin_key(database, secret, OTHER)
        assert (status(GIVEN), status(OTHER)) == ("revoked", "live")
        ensure_admin_key(database, secret, GIVEN)
        assert (status(GIVEN), status(OTHER)) == ("live", "revoked")

    def test_it_leaves_other_administrators_alone(self, database, secret, status):
        shown = ensure_admin_key(database, secret, None)
        ensure_admin_key(database, secret, GIVEN)
        assert status(shown) == "live"

    def test_one_that_was_revoked_on_purpose_does_not_come_back(self, database, secret, keys):
        ensure_admin_key(database, secret, GIVEN)
        keys.revoke(keys.list()[0].id)
        with pytest.raises(ConfigError, match="revoked"):
            ensure_admin_key(database, secret, GIVEN)

    def test_one_that_was_rotated_ends_with_its_overlap(self, database, secret, keys, status):
        ensure_admin_key(database, secret, GIVEN)
        keys.rotate(keys.list()[0].id, overlap_s=3600, created_by="key_x", expires_at_us=None)
        ensure_admin_key(database, secret, GIVEN)
        assert keys.list()[0].expires_at_us is not None

    def test_one_whose_overlap_is_over_is_refused(self, database, secret, keys):
        ensure_admin_key(database, secret, GIVEN)
        keys.rotate(keys.list()[0].id, overlap_s=0, created_by="key_x", expires_at_us=None)
        with pytest.raises(ConfigError, match="expired"):
            ensure_admin_key(database, secret, GIVEN)

    def test_a_key_of_another_role_is_not_made_an_administrators(self, database, secret, keys):
        ProjectStore(database).ensure({"default": ""})
        app = keys.create(NewKey(project="default", name="app"), created_by="test")
        with pytest.raises(ConfigError, match="role app"):
            ensure_admin_key(database, secret, app.plaintext)

    def test_one_that_no_header_could_carry_is_refused(self, database, secret):
        for given in ("short", "with space in it", "x" * 257, "ümläute-und-mehr"):
            with pytest.raises(ConfigError, match="HEADGATE_ADMIN_KEY"):
                ensure_admin_key(database, secret, given)

    def test_where_all_administrators_are_gone_a_new_one_is_made(self, database, secret, keys):
        ensure_admin_key(database, secret, None)
        keys.revoke(keys.list()[0].id)
        assert ensure_admin_key(database, secret, None) is not None

    def test_a_short_one_leaves_no_hint_of_itself(self, database, secret, keys):
        ensure_admin_key(database, secret, "hg_short")
        assert keys.list()[0].hint == ""
