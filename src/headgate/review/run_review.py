"""How every question about a run begins, whatever is asked of it."""

from __future__ import annotations

from headgate.review.review import Facts, Reason, Review, ReviewKind
from headgate.storage.identifiers import new_id
from headgate.workflows.run import Run


def run_review(
    run: Run,
    kind: ReviewKind,
    *,
    once: str,
    reasons: tuple[Reason, ...],
    facts: Facts,
    has_draft: bool,
    now_us: int,
) -> Review:
    """A question about `run`, without a clock, for whoever's role may decide it."""
    return Review(
        id=new_id("rev"),
        kind=kind,
        once=once,
        project=run.project,
        run_id=run.id,
        workflow=run.workflow,
        version_of_workflow=run.version,
        digest=run.digest,
        requested_by=run.key_id,
        reasons=reasons,
        facts=facts,
        has_draft=has_draft,
        created_at_us=now_us,
        since_us=now_us,
    )
