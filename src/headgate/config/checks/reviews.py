"""Whether what is written of reviews makes sense: fields and groups that are there."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence

from headgate.config.allowances import BudgetSettings
from headgate.config.reviews import DeadlineSettings, ReviewSettings, ReviewsSettings
from headgate.config.tools import ToolSource
from headgate.config.workflow import WorkflowSettings
from headgate.config.yaml_file import YamlFile

Steps = tuple[str | int, ...]


def check_reviews(
    document: YamlFile, reviews: ReviewsSettings, budgets: Sequence[BudgetSettings]
) -> None:
    """`ConfigError` with file and line for a group that nobody is in, or that is not there."""
    for index, budget in enumerate(budgets):
        name = budget.reviewers
        if name is not None and name not in reviews.groups:
            raise document.error(unknown_group(name, reviews.groups), "budgets", index, "reviewers")
    for name, group in reviews.groups.items():
        if not group.keys and not group.roles:
            raise document.error(
                "nobody is in it; write `keys` or `roles`", "reviews", "groups", name
            )
        for index, key in enumerate(group.keys):
            if not key.startswith("key_"):
                raise document.error(
                    "is no key's id; `headgate keys list` shows them",
                    "reviews", "groups", name, "keys", index,
                )  # fmt: skip


def deadline_problems(
    deadline: DeadlineSettings, *, can_fall_back: bool
) -> Iterator[tuple[Steps, str]]:
    """What is wrong with what a workflow's `review.deadline` says: where, and what to do."""
    escalates = deadline.then == "escalate"
    if escalates and deadline.escalate_to is None:
        yield ("deadline", "then"), "name the group: `escalate_to`"
    if not escalates and deadline.after_escalation != "wait":
        yield ("deadline", "after_escalation"), "means nothing without `then: escalate`"
    for name in ("then", "after_escalation"):
        if getattr(deadline, name) == "fall_back" and not can_fall_back:
            yield ("deadline", name), "the workflow declares no fallback that needs no person"


def groups_named(review: ReviewSettings) -> Iterator[tuple[Steps, str]]:
    """The groups that a workflow's `review` names, and where."""
    if review.reviewers is not None:
        yield ("reviewers",), review.reviewers
    if review.deadline is not None and review.deadline.escalate_to is not None:
        yield ("deadline", "escalate_to"), review.deadline.escalate_to


def groups_of_workflow(settings: WorkflowSettings) -> Iterator[tuple[Steps, str]]:
    """The groups that a workflow names, of its reviews and its tools, and where."""
    if settings.review is not None:
        for steps, name in groups_named(settings.review):
            yield ("review", *steps), name
    for tool, terms in settings.tools.items():
        if terms.reviewers is not None:
            yield ("tools", tool, "reviewers"), terms.reviewers


def check_tool_reviewers(
    document: YamlFile, sources: Mapping[str, ToolSource], groups: Collection[str]
) -> None:
    """`ConfigError` with file and line where a source's tool is for a group that is not there."""
    for name, source in sources.items():
        for tool, terms in source.tools.items():
            if terms.reviewers is not None and terms.reviewers not in groups:
                told = unknown_group(terms.reviewers, groups)
                raise document.error(told, "tools", name, "tools", tool, "reviewers")


def review_in_words(review: ReviewSettings | None) -> str:
    """When a person looks, for `headgate check`."""
    if review is None:
        return "where rules or guards ask"
    when = ["always"] if review.always else [f"by {rule.field}" for rule in review.fields]
    if review.on_fallback:
        when.append("on a fallback")
    if review.on_flag:
        when.append("on a flag")
    if review.sample and not review.always:
        when.append(f"{review.sample:.3g} of all")
    return ", ".join(when) or "where rules or guards ask"


def unknown_group(name: str, groups: Collection[str]) -> str:
    """What to say of a group that is not there."""
    return f"there is no group `{name}` in `reviews.groups`; there is {', '.join(groups) or 'none'}"
