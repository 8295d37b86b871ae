"""What a reader copies from a page works: configuration, commands, code."""

from __future__ import annotations

import re
import shlex
import sqlite3
from pathlib import Path
from typing import Any

import click
import msgspec
import pytest
from pages import Sample, samples

from headgate.cli.main import headgate
from headgate.config.load import load_settings
from headgate.config.workflow import WorkflowSettings
from headgate.config.workload import load_workload
from headgate.config.yaml_file import YamlFile
from headgate.simulator.script import Script

CONFIGURATIONS = samples("yaml", "checks: headgate.yaml")
WORKFLOWS = samples("yaml", "checks: workflow.yaml")
WORKLOADS = samples("yaml", "checks: workload")
SCRIPTS = samples("yaml", "checks: script")
PYTHON = samples("python")
SHELL = samples("sh")
JSON = samples("json")
SQL = samples("sql", "runs: sqlite")

_ENVIRONMENT = {
    "OPENAI_API_KEY": "sk-sample",
    "EU_VENDOR_API_KEY": "sample",
    "OPS_WEBHOOK_SECRET": "a-sample-of-a-secret",
    "SLACK_WEBHOOK": "sample",
    "SMTP_PASSWORD": "sample",
}


@pytest.mark.parametrize("sample", CONFIGURATIONS, ids=str)
def test_a_configuration_that_is_shown_is_accepted(sample: Sample, tmp_path: Path):
    (tmp_path / "headgate.yaml").write_text(sample.text, "utf-8")
    load_settings(tmp_path, _ENVIRONMENT)


@pytest.mark.parametrize("sample", WORKFLOWS, ids=str)
def test_a_workflow_that_is_shown_is_accepted(sample: Sample, tmp_path: Path):
    YamlFile(tmp_path / "workflow.yaml", sample.text).into(WorkflowSettings)


@pytest.mark.parametrize("sample", WORKLOADS, ids=str)
def test_a_workload_that_is_shown_is_accepted(sample: Sample, tmp_path: Path):
    (tmp_path / "workload.yaml").write_text(sample.text, "utf-8")
    load_workload(tmp_path / "workload.yaml")


@pytest.mark.parametrize("sample", PYTHON, ids=str)
def test_code_that_is_shown_compiles(sample: Sample):
    compile(sample.text, str(sample), "exec")


@pytest.mark.parametrize("sample", samples("python", "runs: simulator"), ids=str)
def test_code_that_is_shown_for_the_simulator_runs(sample: Sample, monkeypatch):
    monkeypatch.delenv("OPENAI_BASE_URL", raising=False)
    names: dict[str, Any] = {}
    exec(compile(sample.text, str(sample), "exec"), names)  # noqa: S102 - the page's own sample
    names["client"].close()


@pytest.mark.parametrize("sample", samples("python", "runs: injection"), ids=str)
def test_code_that_is_shown_for_defences_runs(sample: Sample):
    exec(compile(sample.text, str(sample), "exec"), {})  # noqa: S102 - the page's own sample


@pytest.mark.parametrize("sample", SCRIPTS, ids=str)
def test_a_script_of_replies_that_is_shown_is_accepted(sample: Sample, tmp_path: Path):
    (tmp_path / "replies.yaml").write_text(sample.text, "utf-8")
    Script.read(str(tmp_path / "replies.yaml"))


@pytest.mark.parametrize("sample", JSON, ids=str)
def test_json_that_is_shown_is_json(sample: Sample):
    msgspec.json.decode(sample.text)


@pytest.mark.parametrize("sample", SHELL, ids=str)
def test_a_command_that_is_shown_exists_with_its_options(sample: Sample):
    for words in _headgate_commands(sample.text):
        command, context = headgate, click.Context(headgate, info_name="headgate")
        while isinstance(command, click.Group) and words and not words[0].startswith("-"):
            found = command.get_command(context, words[0])
            assert found is not None, f"{sample}: no command {words[0]}"
            command = found
            context = click.Context(command, info_name=words.pop(0), parent=context)
        command.make_parser(context).parse_args(words)


@pytest.mark.parametrize("sample", SQL, ids=str)
def test_a_statement_that_is_shown_runs(sample: Sample, sqlite_files, tmp_path: Path):
    path = sqlite_files.copy_to(tmp_path).removeprefix("sqlite:///")
    connection = sqlite3.connect(path)
    try:
        for age_days, run in ((100, "old"), (80, "young")):
            connection.execute(
                "INSERT INTO runs (id, project, key_id, workflow, version, digest, status,"
                " fallback, created_at_us, finished_at_us, steps, trace_id)"
                " VALUES (?, '', '', '', '', '', 'completed', 0, 0,"
                " (strftime('%s', 'now') - ? * 86400) * 1000000, '[]', '')",
                (run, age_days),
            )
            connection.execute("INSERT INTO run_contents (run_id, input) VALUES (?, '{}')", (run,))
        connection.execute(sample.text)
        assert connection.execute("SELECT run_id FROM run_contents").fetchall() == [("young",)]
    finally:
        connection.close()


def test_there_is_something_of_each_kind():
    assert all((CONFIGURATIONS, WORKFLOWS, WORKLOADS, SCRIPTS, PYTHON, SHELL, JSON, SQL))


def _headgate_commands(script: str) -> list[list[str]]:
    """The words after `headgate` of each such command in `script`."""
    found = []
    script = script.replace("\\\n", " ")
    for inner in re.findall(r"\$\(([^)]*)\)", script):
        script += f"\n{inner}"
    for line in script.splitlines():
        words = shlex.split(re.sub(r"\$\([^)]*\)", "VALUE", line), comments=True)
        while words and re.fullmatch(r"[A-Z_]+=.*", words[0]):
            words.pop(0)
        if words and words[0].rpartition("/")[2] == "headgate":
            found.append(words[1:])
    return found
