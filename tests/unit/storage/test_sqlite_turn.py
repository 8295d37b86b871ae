"""Who waits to write to an SQLite file asks again soon, at random, and the sooner the longer."""

from __future__ import annotations

import sqlite3
import threading
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headgate.storage.sqlite_turn import begin_to_write, pause_s

JITTERS = st.floats(0, 1, exclude_max=True)


@given(waited_s=st.floats(0, 60), more_s=st.floats(0, 60), jitter=JITTERS)
def test_who_has_waited_longer_asks_sooner(waited_s, more_s, jitter):
    assert pause_s(waited_s + more_s, jitter) <= pause_s(waited_s, jitter)
    assert 0.0005 <= pause_s(waited_s, jitter) <= 0.006


def connected(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(path, isolation_level=None, check_same_thread=False)


def test_a_turn_comes_as_soon_as_the_file_is_free(tmp_path: Path):
    one, other = connected(tmp_path / "a.db"), connected(tmp_path / "a.db")
    begin_to_write(one, 5)
    threading.Timer(0.1, one.execute, ("COMMIT",)).start()
    began_s = time.monotonic()
    begin_to_write(other, 5)
    assert 0.05 < time.monotonic() - began_s < 2
    other.execute("ROLLBACK")
    one.close()
    other.close()


def test_after_its_patience_who_waits_is_told_that_the_file_is_busy(tmp_path: Path):
    one, other = connected(tmp_path / "a.db"), connected(tmp_path / "a.db")
    begin_to_write(one, 5)
    with pytest.raises(sqlite3.OperationalError) as caught:
        begin_to_write(other, 0.05)
    assert caught.value.sqlite_errorcode == sqlite3.SQLITE_BUSY
    assert other.execute("PRAGMA busy_timeout").fetchone() == (50,), "statements wait as before"
    one.execute("ROLLBACK")
    begin_to_write(other, 5)
    other.execute("ROLLBACK")
    one.close()
    other.close()
