"""A decision as an evaluation case: what came in, and what a person let out, or did not."""

from __future__ import annotations

from typing import Any

import msgspec
import yaml

from headgate.errors import ConflictError
from headgate.review.review import Settled
from headgate.review.shown import Shown


class CaseSource(msgspec.Struct, frozen=True, kw_only=True):
    """Where a case comes from."""

    review: str
    run: str
    version: str
    """Of the workflow, that drafted it."""
    decision: Settled


class EvaluationCase(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One entry of a workflow's `cases.yaml`."""

    name: str
    input: dict[str, Any]
    context: dict[str, Any] | None = None
    """What was gathered for it then."""
    expected: dict[str, Any] | None = None
    """What a person let out."""
    rejected: dict[str, Any] | None = None
    """A draft that a person did not let out: what must not come again."""
    source: CaseSource


class NoCaseError(ConflictError):
    """Nothing can be learned from it yet: a case is made of a run that a person decided about."""

    code = "review_makes_no_case"


def case_of(shown: Shown) -> EvaluationCase:
    """The case that a decision makes; `NoCaseError` where it makes none."""
    review, run = shown.review, shown.run
    if run is None or review.kind != "output":
        raise NoCaseError("Only a review of a run's output makes a case.")
    if review.decision is None:
        raise NoCaseError("Nobody has decided this review yet; decide it first.")
    if run.input is None:
        raise NoCaseError("The run's input was erased.")
    source = CaseSource(review=review.id, run=run.id, version=run.version, decision=review.decision)
    name = f"review-{review.id.removeprefix('rev_')}"
    if review.decision == "rejected":
        draft = shown.contents.draft
        if draft is None:
            raise NoCaseError("It was rejected and there was no draft, so nothing is expected.")
        return EvaluationCase(
            name=name, input=run.input, context=run.context, rejected=draft, source=source
        )
    rejected = shown.contents.draft if review.decision == "edited" else None
    return EvaluationCase(
        name=name,
        input=run.input,
        context=run.context,
        expected=run.output,
        rejected=rejected,
        source=source,
    )


def as_yaml(case: EvaluationCase) -> str:
    """The case as an entry to be appended to `cases.yaml`."""
    entry = msgspec.to_builtins(case)
    return str(yaml.safe_dump([entry], allow_unicode=True, sort_keys=False, width=100))
