"""Queries of a declared connector only read, on SQLite and PostgreSQL, whatever they are given."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec
import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from databases import PostgresDatabases, drop, postgres_url
from headgate.config.connectors import ConnectorSettings, SqlConnectorSettings
from headgate.context.connector import ConnectorError
from headgate.context.connectors import Connectors
from headgate.context.query_checks import query_findings
from headgate.context.sql_connector import SqlConnector
from headgate.errors import ConfigError
from servers import headgate as command

TABLES = [
    "CREATE TABLE invoices (account TEXT, number TEXT, amount NUMERIC, paid BOOLEAN, due DATE)",
    "INSERT INTO invoices VALUES ('a', 'i1', 10.5, true, '2026-01-31')",
    "INSERT INTO invoices VALUES ('a', 'i2', 20, false, '2026-02-28')",
    "INSERT INTO invoices VALUES ('b', 'i3', 30, false, NULL)",
]
FIELDS = {"number": "text", "amount": "number", "paid": "boolean", "due": "date"}
BY_ACCOUNT = "SELECT * FROM invoices WHERE account = :account ORDER BY number"


@pytest.fixture(params=["sqlite", "postgresql"])
def source(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of a database of somebody else's, with some invoices."""
    if request.param == "sqlite":
        with closing(sqlite3.connect(tmp_path / "theirs.db")) as connection:
            for statement in TABLES:
                connection.execute(statement)
            connection.commit()
        yield "sqlite:///theirs.db"
        return
    databases: PostgresDatabases = request.getfixturevalue("postgres_databases")
    name = databases.make(migrated=False)
    with psycopg.connect(postgres_url(name), autocommit=True) as connection:
        for statement in TABLES:
            connection.execute(statement)
    yield postgres_url(name)
    drop(name)


def connector(source: str, folder: Path, timeout_s: float = 5.0, **queries: Any) -> SqlConnector:
    operations = {
        name: {
            "fields": FIELDS,
            "many": 10,
            **(query if isinstance(query, dict) else {"query": query}),
        }
        for name, query in queries.items()
    }
    made = {"url": source, "timeout_s": timeout_s, "operations": operations}
    return SqlConnector(msgspec.convert(made, SqlConnectorSettings), folder)


async def asked(made: SqlConnector, operation: str, **arguments: Any) -> list[dict[str, Any]]:
    try:
        return await made.records(operation, arguments)
    finally:
        await made.close()


def count(source: str, folder: Path) -> int:
    if source.startswith("sqlite"):
        with closing(sqlite3.connect(folder / "theirs.db")) as connection:
            return int(connection.execute("SELECT count(*) FROM invoices").fetchone()[0])
    with psycopg.connect(source) as connection:
        row = connection.execute("SELECT count(*) FROM invoices").fetchone()
        return int(row[0]) if row else 0


async def test_records_come_with_their_types(source, tmp_path):
    settings_of = {
        "sql": {
            "url": source,
            "operations": {"invoices": {"query": BY_ACCOUNT, "many": 5, "fields": FIELDS}},
        }
    }
    connectors = Connectors({"db": msgspec.convert(settings_of, ConnectorSettings)}, tmp_path)
    found = await connectors.ask("db.invoices", {"account": "a"}, None, 5.0)
    assert found.value == [
        {"number": "i1", "amount": 10.5, "paid": True, "due": "2026-01-31"},
        {"number": "i2", "amount": 20, "paid": False, "due": "2026-02-28"},
    ]
    narrow = await connectors.ask("db.invoices", {"account": "b"}, ["due"], 5.0)
    assert narrow.value == [{"due": None}]
    await connectors.close()


@pytest.mark.parametrize(
    "value",
    [
        "a' OR '1'='1",
        "a'; DELETE FROM invoices; --",
        "a\\",
        ":account",
        "%s",
        "%(account)s",
        "a\u2019",
    ],
)
async def test_what_a_caller_sends_is_a_value_and_never_a_part_of_the_query(
    source, tmp_path, value
):
    assert await asked(connector(source, tmp_path, q=BY_ACCOUNT), "q", account=value) == []
    assert count(source, tmp_path) == 3


WRITES = {
    "delete": "WITH x AS (SELECT 1) DELETE FROM invoices",
    "insert": "INSERT INTO invoices (account) VALUES ('x')",
    "cte": "WITH gone AS (DELETE FROM invoices RETURNING *) SELECT * FROM gone",
    "into": "SELECT * INTO copies FROM invoices",
    "table": "CREATE TABLE copies AS SELECT * FROM invoices",
    "two": "SELECT 1; DELETE FROM invoices",
    "commit": "COMMIT",
    "attach": "ATTACH 'other.db' AS other",
    "pragma": "PRAGMA journal_mode = DELETE",
    "copy": "COPY invoices TO '/tmp/never'",
}


@pytest.mark.parametrize("query", WRITES.values(), ids=WRITES)
async def test_a_query_that_would_do_more_than_read_is_refused_by_the_database(
    source, tmp_path, query
):
    made = connector(source, tmp_path, q=query)
    assert [(name, refused) for name, _, refused in made.check()] == [("q", True)]
    with pytest.raises(ConnectorError, match="the database refused the query"):
        await asked(made, "q")
    assert count(source, tmp_path) == 3
    assert not (tmp_path / "other.db").exists()


def test_a_query_that_reads_is_let_by_and_one_that_can_not_be_answered_is_told(source, tmp_path):
    made = connector(
        source, tmp_path, good=BY_ACCOUNT, bad="SELECT nothing_such FROM invoices",
        nested="WITH x AS (SELECT * FROM invoices) SELECT * FROM x WHERE account = :account",
    )  # fmt: skip
    ((name, message, refused),) = made.check()
    assert (name, refused) == ("bad", False)
    assert "nothing_such" not in message
    made.discard()


async def test_no_more_rows_are_read_than_the_bound(source, tmp_path):
    endless = (
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT 1 FROM n) SELECT 'x' AS number FROM n"
    )
    made = connector(source, tmp_path, q={"query": endless, "many": 3})
    began_s = time.monotonic()
    assert len(await asked(made, "q")) == 4
    assert time.monotonic() - began_s < 5


async def test_a_query_that_takes_too_long_is_broken_off_by_the_database(source, tmp_path):
    slow = (
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n)"
        " SELECT max(i) AS number FROM n"
        if source.startswith("sqlite")
        else "SELECT pg_sleep(60)::text AS number"
    )
    made = connector(source, tmp_path, timeout_s=0.3, q=slow)
    began_s = time.monotonic()
    with pytest.raises(ConnectorError, match="took too long") as error:
        await asked(made, "q")
    assert error.value.retryable
    assert time.monotonic() - began_s < 5


async def test_many_questions_at_once_are_answered(source, tmp_path):
    made = connector(source, tmp_path, q=BY_ACCOUNT)
    found = await asyncio.gather(*(made.records("q", {"account": "a"}) for _ in range(30)))
    assert {len(one) for one in found} == {2}
    await made.close()


@pytest.mark.parametrize(
    "url",
    [
        "sqlite:///none.db",
        "postgresql://reader:the-password@127.0.0.1:1/none",
        "postgresql://no_such_user:the-password@127.0.0.1:5432/no_such_database",
    ],
)
async def test_a_database_that_is_not_there_is_told_without_its_address(url, tmp_path):
    made = connector(url, tmp_path, q=BY_ACCOUNT)
    assert made.check() == [], "what can't be asked says nothing"
    with pytest.raises(ConnectorError) as error:
        await asked(made, "q", account="a")
    assert str(error.value) in (
        "the database can't be reached",
        "the database refused the query (3D000)",
        "the database refused the query (28000)",
    )
    assert not (tmp_path / "none.db").exists()


async def test_a_file_that_is_put_in_its_place_anew_is_read_anew(tmp_path):
    def put(number: str) -> None:
        with closing(sqlite3.connect(tmp_path / "new.db")) as connection:
            connection.execute(TABLES[0])
            connection.execute("INSERT INTO invoices (account, number) VALUES ('a', ?)", [number])
            connection.commit()
        (tmp_path / "new.db").replace(tmp_path / "theirs.db")

    made = connector("sqlite:///theirs.db", tmp_path, q=BY_ACCOUNT)
    for number in ("first", "second"):
        put(number)
        assert [row["number"] for row in await made.records("q", {"account": "a"})] == [number]
    await made.close()


values = (
    st.text(max_size=30).filter(lambda text: "\x00" not in text)
    | st.integers(-(2**62), 2**62)
    | st.booleans()
    | st.floats(allow_nan=False, allow_infinity=False)
)


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(value=values)
async def test_any_value_that_is_bound_comes_back_as_it_is(source, tmp_path, value):
    cast = "CAST(:account AS TEXT)" if isinstance(value, str) else ":account"
    made = connector(source, tmp_path, q=f"SELECT {cast} AS number")
    try:
        ((found),) = [row["number"] for row in await asked(made, "q", account=value)]
    except (ConnectorError, UnicodeError):
        assert isinstance(value, str), value
        assert any("\ud800" <= letter <= "\udfff" for letter in value), value
        return
    assert found == value
    assert count(source, tmp_path) == 3


def project(folder: Path, url: str, query: str) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / "headgate.yaml").write_text(
        "connectors:\n  db:\n    sql:\n"
        f"      url: {url}\n"
        f'      operations: {{q: {{query: "{query}", fields: {{number: text}}}}}}\n'
    )
    return folder


def test_a_server_does_not_start_on_a_query_that_writes(source, tmp_path):
    from headgate.app.plan import read_plan
    from headgate.app.preparation import prepare

    query = "WITH gone AS (DELETE FROM invoices RETURNING *) SELECT * FROM gone"
    folder = project(tmp_path, source, query)
    with pytest.raises(ConfigError) as error:
        prepare(read_plan(folder, {"OPENAI_API_KEY": "sk-x"}), "hg_" + "k" * 32)
    assert "headgate.yaml:5: connectors.db.sql.operations.q.query: is no query" in str(error.value)
    assert count(source, tmp_path) == 3


def test_headgate_check_asks_files_and_no_servers(source, tmp_path):
    query = "WITH gone AS (SELECT 1) DELETE FROM invoices"
    folder = project(tmp_path, source, query)
    done = command("check", ".", folder=folder)
    is_file = source.startswith("sqlite")
    assert done.returncode == (1 if is_file else 0), done.stdout
    assert ("is no query that only reads" in done.stdout) is is_file
    assert query_findings({}, folder / "headgate.yaml", ask_servers=True) == []


async def test_a_text_that_can_not_be_read_is_not_a_database_that_is_away(tmp_path):
    sqlite3.connect(tmp_path / "theirs.db").close()
    made = connector("sqlite:///theirs.db", tmp_path, q="SELECT CAST(x'ff' AS TEXT) AS number")
    with pytest.raises(ConnectorError, match="refused the query") as told:
        await asked(made, "q")
    assert not told.value.retryable
