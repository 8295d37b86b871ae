"""A small database of invoices and support issues: a SQLite file of invented rows."""

import sqlite3
from contextlib import closing
from pathlib import Path

from accounts import INVOICES, ISSUES

_TABLES = """
CREATE TABLE invoices (
    account_id TEXT NOT NULL, number TEXT PRIMARY KEY, issued_on TEXT NOT NULL,
    due_on TEXT NOT NULL, amount_usd REAL NOT NULL, status TEXT NOT NULL
);
CREATE TABLE issues (
    account_id TEXT NOT NULL, number TEXT PRIMARY KEY, opened_on TEXT NOT NULL,
    severity TEXT NOT NULL, status TEXT NOT NULL, subject TEXT NOT NULL
);
"""


def make(path: Path) -> None:
    """Write the database anew at `path`."""
    new = path.with_suffix(".new")
    new.unlink(missing_ok=True)
    with closing(sqlite3.connect(new)) as connection:
        connection.executescript(_TABLES)
        connection.executemany("INSERT INTO invoices VALUES (?, ?, ?, ?, ?, ?)", INVOICES)
        connection.executemany("INSERT INTO issues VALUES (?, ?, ?, ?, ?, ?)", ISSUES)
        connection.commit()
    # Whoever reads the old one meanwhile reads it to its end.
    new.replace(path)
