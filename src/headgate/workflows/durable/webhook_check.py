"""Whether the addresses that workflows name may be told, before a server starts."""

from __future__ import annotations

from collections.abc import Iterable

from headgate.config.runs import RunsSettings
from headgate.errors import ConfigError, InvalidRequestError
from headgate.workflows.durable.webhook_rule import WebhookRule
from headgate.workflows.folder import Workflow


def check_webhooks(settings: RunsSettings, workflows: Iterable[Workflow]) -> WebhookRule:
    """The rule of `settings`. Raises `ConfigError` that names the workflows that break it."""
    try:
        rule = WebhookRule(() if settings.webhooks is None else settings.webhooks.allow)
    except ValueError as error:
        raise ConfigError(f"runs.webhooks.allow: {error}") from None
    problems = []
    for workflow in workflows:
        try:
            rule.check(workflow.settings.webhook)
        except InvalidRequestError as error:
            problems.append(f"workflows/{workflow.name}/workflow.yaml: {error.message}")
    if problems:
        raise ConfigError(problems[0], problems=tuple(problems))
    return rule
