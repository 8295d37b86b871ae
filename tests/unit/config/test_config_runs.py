"""`runs` of headgate.yaml, and what a workflow says of its asynchronous runs."""

from __future__ import annotations

from pathlib import Path

import pytest

from headgate.config.load import load_settings
from headgate.config.policy import effective_policy
from headgate.config.runs import RunsSettings, RunWebhookSettings
from headgate.errors import ConfigError
from headgate.workflows.catalogue import Catalogue
from headgate.workflows.durable.webhook_check import check_webhooks
from scripted_workflows import FILES, write_project


def test_the_secret_of_webhooks_is_not_shown(tmp_path: Path):
    (tmp_path / "headgate.yaml").write_text(
        "runs: {webhooks: {allow: ['https://example.com/'], secret: s3cret-s3cret-s3cret}}\n"
    )
    settings = load_settings(tmp_path, {})
    policy = effective_policy(settings, providers={}, simulated=(), database_url="sqlite:///x")
    assert "s3cret" not in str(policy)
    assert policy["runs"]["webhooks"] == {
        "allow": ("https://example.com/",),
        "secret": "set",
        "max_attempts": 12,
    }


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("runs: {per_worker: 0}\n", "per_worker"),
        ("runs: {webhook: {}}\n", "webhook"),
        ("runs: {webhooks: {allow: [], secret: s3cret-s3cret-s3cret}}\n", "allow"),
        ("runs: {webhooks: {allow: ['ftp://x/'], secret: s3cret-s3cret-s3cret}}\n", "allow"),
        ("runs: {webhooks: {allow: ['https://x/'], secret: short}}\n", "secret"),
    ],
)
def test_what_cannot_be_meant_is_refused(tmp_path: Path, text: str, says: str):
    (tmp_path / "headgate.yaml").write_text(text)
    with pytest.raises(ConfigError, match=says):
        load_settings(tmp_path, {})


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("schedule: {cron: '0 25 * * *', input: {text: t}}", "cron"),
        ("schedule: {cron: '0 7 * * *', timezone: Berlin, input: {text: t}}", "timezone"),
        ("schedule: {cron: '0 7 * * *', input: {texts: t}}", "does not fit input.schema.json"),
        ("limits: {concurrency: 0}", "concurrency"),
        ("limits: {deadline_s: 0}", "deadline_s"),
    ],
)
def test_what_a_workflow_cannot_mean_is_refused(tmp_path: Path, line: str, says: str):
    labels = write_project(tmp_path)
    (labels / "workflow.yaml").write_text(FILES["workflow.yaml"] + line + "\n")
    with pytest.raises(ConfigError) as refused:
        Catalogue.load(tmp_path)
    assert says in " ".join(refused.value.problems)


def test_a_workflow_tells_only_who_may_be_told(tmp_path: Path):
    labels = write_project(tmp_path)
    told = "webhook: https://hooks.example.com/a\n"
    (labels / "workflow.yaml").write_text(FILES["workflow.yaml"] + told)
    catalogue = Catalogue.load(tmp_path)
    allowed = RunWebhookSettings(allow=("https://hooks.example.com/",), secret="s" * 16)
    check_webhooks(RunsSettings(webhooks=allowed), catalogue)
    with pytest.raises(ConfigError, match=r"workflows/labels/workflow\.yaml"):
        check_webhooks(RunsSettings(), catalogue)
