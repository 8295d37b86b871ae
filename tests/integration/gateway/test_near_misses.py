"""Near misses in the database: counted by similarity, shown newest first, bounded in time."""

from __future__ import annotations

from typing import Any

from headgate.gateway.cache.semantic.near_miss import Band, NearMiss, NearMissLog
from headgate.storage import Database

NOW_US = 1_795_000_000_000_000
DAY_US = 86_400_000_000


def a_miss(**changes: Any) -> NearMiss:
    values: dict[str, Any] = {
        "at_us": NOW_US,
        "project": "support",
        "workflow": "faq",
        "similarity": 0.915,
        "threshold": 0.97,
        "run_id": "run_2",
        "like_run_id": "run_1",
        "same": True,
    }
    return NearMiss(**(values | changes))


def test_near_misses_are_counted_by_similarity(database: Database):
    log = NearMissLog(database)
    log.write(
        [
            a_miss(),
            a_miss(similarity=0.9199, same=False),
            a_miss(similarity=0.92),
            a_miss(similarity=1.0),
            a_miss(workflow="other", similarity=0.8),
            a_miss(project="sales", similarity=0.85),
        ]
    )
    asked: dict[str, Any] = {"since_us": NOW_US, "project": "support"}
    assert log.bands(**asked, workflow="faq") == [
        Band(workflow="faq", from_percent=100, misses=1, same=1),
        Band(workflow="faq", from_percent=92, misses=1, same=1),
        Band(workflow="faq", from_percent=91, misses=2, same=1),
    ]
    assert len(log.bands(**asked, workflow=None)) == 4
    assert len(log.bands(since_us=NOW_US, project=None, workflow=None)) == 5
    assert log.bands(since_us=NOW_US + 1, project=None, workflow=None) == []
    newest = log.newest(**asked, workflow="faq", limit=2)
    assert [miss.similarity for miss in newest] == [1.0, 0.92]
    assert newest[1] == a_miss(similarity=0.92)


def test_they_are_kept_for_thirty_days(database: Database):
    log = NearMissLog(database)
    log.write([a_miss(at_us=NOW_US - 31 * DAY_US), a_miss(at_us=NOW_US - 29 * DAY_US)])
    log.write([a_miss()])
    assert len(log.newest(since_us=0, project=None, workflow=None, limit=10)) == 2
