"""A database that can't be reached is told with why, and never with its password."""

from __future__ import annotations

import psycopg
import pytest
import sqlalchemy as sa

from databases import POSTGRES_SERVER, require_postgres
from headgate.errors import DatabaseUnavailableError
from headgate.storage import Database
from headgate.storage.outage import outage_of


def told(url: str) -> str:
    """What is said where the database at `url` does not answer."""
    database = Database(url)
    try:
        with pytest.raises(DatabaseUnavailableError) as caught:
            database.ping()
        return caught.value.message
    finally:
        database.close()


def test_a_database_or_a_user_that_is_not_there_is_told():
    require_postgres()
    assert "CREATE DATABASE makes it" in told(f"{POSTGRES_SERVER}/headgate_nowhere")
    server = sa.make_url(POSTGRES_SERVER).set(database="postgres")
    stranger = server.set(username="headgate_nobody", password="unheard-of-secret")
    message = told(stranger.render_as_string(hide_password=False))
    assert any(word in message for word in ("no such user", "refuses the user", "pg_hba.conf"))
    assert "unheard-of-secret" not in message


def test_a_server_or_a_host_that_is_not_there_is_told():
    assert "nothing listens at that host and port" in told("postgresql://u@127.0.0.1:1/d")
    assert "no such host is known" in told("postgresql://u:p@ss@nowhere.invalid/d")


@pytest.mark.parametrize(
    ("driver_says", "is_told"),
    [
        ('FATAL:  password authentication failed for user "x"', "refuses the user or the password"),
        ('FATAL:  no pg_hba.conf entry for host "1.2.3.4", user "x"', "pg_hba.conf lets in no"),
        ("server does not support SSL, but SSL was required", "it has no TLS"),
        ('root certificate file "/x" does not exist', "TLS with it fails"),
        ("FATAL:  sorry, too many clients already", "raise its max_connections"),
        ("FATAL:  the database system is starting up", "it is starting or stopping"),
        ("connection timeout expired", "it does not answer in time"),
        ('something about "pass@word"', "OperationalError"),
    ],
)
def test_what_the_driver_says_is_put_in_words_that_quote_nothing(driver_says: str, is_told: str):
    said = psycopg.OperationalError(f'connection to server at "h" failed: {driver_says}')
    found = outage_of(sa.exc.OperationalError("SELECT 1", None, said))
    assert is_told in found
    assert '"' not in found
