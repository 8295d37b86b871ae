"""Reviews and people for tests."""

from __future__ import annotations

from typing import Any

from headgate.config.reviews import ReviewerGroupSettings
from headgate.gateway.caller import Caller
from headgate.review.review import Reason, Review

NOW_US = 1_795_000_000_000_000

GROUPS = {
    "leads": ReviewerGroupSettings(keys=("key_lead",)),
    "reviewers": ReviewerGroupSettings(roles=("reviewer",)),
}


def a_review(**changes: Any) -> Review:
    fields = {
        "id": "rev_1",
        "kind": "output",
        "once": "run run_1",
        "requested_by": "key_app",
        "created_at_us": NOW_US,
        "since_us": NOW_US,
        "reasons": (Reason("always"),),
        "project": "default",
        "has_draft": True,
        **changes,
    }
    return Review(**fields)


def person(key_id: str = "key_ann", role: Any = "reviewer") -> Caller:
    return Caller(key_id=key_id, project="default", role=role)
