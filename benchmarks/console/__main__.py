"""`python -m benchmarks.console`: makes a million runs and times each page of the console.

On SQLite, or on the PostgreSQL that HEADGATE_DATABASE_URL names, whose database must be empty.
`--keep FOLDER` keeps what was made, for the next time and for looking at it.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path

import sqlalchemy as sa

from benchmarks.console.history import fill
from benchmarks.console.visitor import Visitor, serving
from headgate.ledger.rollups.roller import Roller
from headgate.storage import Database, migrate
from headgate.storage.schema import runs

_DAYS = 30
_ROUNDS = 15
_GOAL_MS = 150.0


def main() -> int:
    """Run it; 1 where a page took longer than the goal."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.console", description=__doc__)
    parser.add_argument("--runs", type=int, default=1_000_000)
    parser.add_argument("--keep", type=Path, help="a folder for the database and its server")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as made:
        folder: Path = options.keep or Path(made)
        folder.mkdir(parents=True, exist_ok=True)
        url = os.environ.get("HEADGATE_DATABASE_URL") or f"sqlite:///{folder / 'bench.db'}"
        _prepare(url, options.runs)
        return _measure(folder, url)


def _prepare(url: str, count: int) -> None:
    database = Database(url)
    migrate(database)
    with database.connect() as connection:
        there = connection.execute(sa.select(runs.c.id).limit(1)).scalar() is not None
    if not there:
        began_s = time.monotonic()
        fill(database, count=count, days=_DAYS, now_us=time.time_ns() // 1000)
        print(f"made {count:,} runs with a call each in {time.monotonic() - began_s:.0f} s")
    began_s = time.monotonic()
    roller = Roller(database)
    while roller.turn(int(time.time())):
        pass
    print(f"rolled up in {time.monotonic() - began_s:.1f} s")
    with database.begin() as connection:
        connection.execute(sa.text("ANALYZE"))
    database.close()


def _measure(folder: Path, url: str) -> int:
    slow = 0
    with serving(folder, url) as address:
        for role in ("admin", "developer"):
            visitor = Visitor(address, role)
            for title, path in visitor.pages():
                times_ms = []
                for _ in range(_ROUNDS):
                    began_s = time.perf_counter()
                    size = len(visitor.get(path))
                    times_ms.append((time.perf_counter() - began_s) * 1000)
                # The slowest tells of the machine's other work as much as of the page.
                median_ms = statistics.median(times_ms)
                slow += median_ms > _GOAL_MS
                print(
                    f"{role:10} {title:36} median {median_ms:6.1f} ms"
                    f"  slowest {max(times_ms):6.1f} ms  {size / 1024:6.1f} KiB"
                )
    print("every page within 150 ms" if not slow else f"{slow} pages took longer than 150 ms")
    return 1 if slow else 0


if __name__ == "__main__":
    sys.exit(main())
