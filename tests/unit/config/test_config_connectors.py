"""Connectors and a workflow's context are checked when they are loaded, and show no secret."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from headgate.config.checks.connectors import parameters_of
from headgate.config.load import load_settings
from headgate.config.policy import effective_policy
from headgate.config.settings import Settings
from headgate.errors import ConfigError
from headgate.workflows.folder import load_workflow

HTTP = """\
connectors:
  crm:
    http:
      base_url: http://crm.example:8080/v2
      headers: {authorization: "Bearer ${CRM_TOKEN}"}
      operations:
        account:
          path: /accounts/{account_id}
          query: {view: "{view}", api_key: "${CRM_TOKEN}"}
          fields: {name: text, renewal_date: {type: date, at: contract.end}}
        search:
          path: /search
          method: POST
          body: {filter: {owner: "{owner}"}, token: "${CRM_TOKEN}"}
          many: 5
          fields: {name: text}
"""
SQL = """\
connectors:
  db:
    sql:
      url: postgresql://reader:${CRM_TOKEN}@db.example:5432/crm?password=${CRM_TOKEN}
      operations:
        rows: {query: "SELECT a, b FROM t WHERE a = :a AND b > :b", many: 5, fields: {a: text}}
"""
SECRET = "s3cr3t-of-the-tests"


def load(folder: Path, text: str) -> Settings:
    (folder / "headgate.yaml").write_text(text)
    return load_settings(folder, {"CRM_TOKEN": SECRET})


def told(folder: Path, text: str) -> str:
    with pytest.raises(ConfigError) as error:
        load(folder, text)
    assert SECRET not in str(error.value)
    return error.value.message


def test_what_is_needed_is_known_from_paths_queries_bodies_and_statements(tmp_path: Path):
    crm = load(tmp_path, HTTP).connectors["crm"].kind.operations
    assert parameters_of(crm["account"]) == ("account_id", "view")
    assert parameters_of(crm["search"]) == ("owner",)
    rows = load(tmp_path, SQL).connectors["db"].kind.operations["rows"]
    assert parameters_of(rows) == ("a", "b")


@pytest.mark.parametrize("text", [HTTP, SQL], ids=["http", "sql"])
def test_no_secret_is_shown(tmp_path: Path, text: str):
    settings = load(tmp_path, text)
    policy = effective_policy(settings, providers={}, simulated=(), database_url="sqlite:///x")
    shown = msgspec.json.encode(policy["connectors"]).decode()
    assert SECRET not in shown
    if text == HTTP:
        http = policy["connectors"]["crm"]["http"]
        assert http["headers"] == {"authorization": "set"}
        assert http["operations"]["account"]["query"] == {"view": "{view}", "api_key": "set"}
        assert http["operations"]["search"]["body"] == {
            "filter": {"owner": "{owner}"}, "token": "set",
        }  # fmt: skip
    else:
        assert policy["connectors"]["db"]["sql"]["url"] == "postgresql://db.example:5432/crm"


def test_a_password_that_was_written_wrong_is_not_shown_either(tmp_path: Path):
    odd = SQL.replace("reader:${CRM_TOKEN}@", "reader:x/y#${CRM_TOKEN}@")
    settings = load(tmp_path, odd)
    policy = effective_policy(settings, providers={}, simulated=(), database_url="sqlite:///x")
    assert SECRET not in msgspec.json.encode(policy["connectors"]).decode()


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("  crm:\n    http:", "  crm:\n    ftp:", "ftp: unknown field"),
        ("http://crm.example:8080/v2", "ftp://x", "write an http:// or https:// address"),
        ("http://crm.example:8080/v2", "http://u:p@crm.example", "leave out user"),
        ("{authorization:", "{host:", "is no header that can be set"),
        ("/accounts/{account_id}", "/accounts/{Account}", "write an argument as"),
        ("/accounts/{account_id}", "/accounts/../{account_id}", "without query and dots"),
        ("/accounts/{account_id}", "/accounts?id={account_id}", "without query and dots"),
        ("/accounts/{account_id}", "accounts", "path"),
        ("method: POST", "method: DELETE", "method"),
        ("          method: POST\n", "", "goes with `method: POST`"),
        ('owner: "{owner}"', 'owner: "x {owner}"', "the argument and nothing else"),
        ("at: contract.end", "at: contract..end", "is no place in a record"),
        ("          many: 5\n", "          beyond: cut\n", "goes with `many`"),
        ("fields: {name: text}", "fields: {}", "fields"),
        ("fields: {name: text}", "fields: {name: varchar}", "fields"),
        ("fields: {name: text}", "fields: {Name: text}", "fields"),
    ],
)
def test_an_http_connector_that_can_not_be_is_told_with_file_and_field(
    tmp_path: Path, old: str, new: str, message: str
):
    assert old in HTTP
    problem = told(tmp_path, HTTP.replace(old, new, 1))
    assert problem.startswith(f"{tmp_path / 'headgate.yaml'}:")
    assert "connectors.crm" in problem
    assert message in problem


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("postgresql://", "mysql://", "write sqlite:///PATH or postgresql://"),
        ("postgresql://reader:${CRM_TOKEN}@db.example:5432/crm", "sqlite://", "sqlite:///PATH"),
        ("SELECT a, b FROM t WHERE", "DELETE FROM t WHERE", "must be one SELECT"),
        ("SELECT a, b", "INSERT INTO t SELECT a, b", "must be one SELECT"),
        ("SELECT a, b", "SELECT 1; SELECT a, b", "write one statement"),
        ("fields: {a: text}", "fields: {a: {type: text, at: b}}", "write `AS` in the query"),
    ],
)
def test_an_sql_connector_that_can_not_be_is_told_with_file_and_field(
    tmp_path: Path, old: str, new: str, message: str
):
    assert old in SQL
    problem = told(tmp_path, SQL.replace(old, new, 1))
    assert "connectors.db.sql" in problem
    assert message in problem


def test_a_connector_has_exactly_one_kind(tmp_path: Path):
    assert "exactly one of http, sql" in told(tmp_path, "connectors: {crm: {}}")


FILES = {
    "input.schema.json": """{"type": "object", "properties": {
  "account_id": {"type": "string"}, "tags": {"type": "array", "items": {"type": "string"}}},
  "required": ["account_id"], "additionalProperties": false}""",
    "output.schema.json": """{"type": "object", "properties": {"text": {"type": "string"}},
  "required": ["text"], "additionalProperties": false}""",
}
WORKFLOW = """\
version: 1.0.0
owner: tests
route: m
trust: trusted
context:
  crm:
    from: crm.account
    arguments: {account_id: input.account_id, view: short}
    trust: trusted
  names:
    from: crm.search
    arguments: {owner: input.account_id}
    required: false
"""
PROMPT = """\
# system

Sum up.

# user

{{ context.crm.name }} {{ context.crm.renewal_date }}
{% for one in context.names | default([]) %}{{ one.name }}{% endfor %}
"""


def workflow(folder: Path, settings: str = WORKFLOW, prompt: str = PROMPT) -> Any:
    connectors = load(folder, HTTP).connectors
    place = folder / "brief"
    place.mkdir()
    for name, text in (FILES | {"workflow.yaml": settings, "prompt.md": prompt}).items():
        (place / name).write_text(text)
    return load_workflow(place, connectors)


def test_a_context_that_fits_is_loaded(tmp_path: Path):
    loaded = workflow(tmp_path)
    assert loaded.context.untrusted == {"names"}
    assert loaded.context.fields("crm") == {"name", "renewal_date"}
    example = loaded.context.example
    assert (isinstance(example["crm"], list), isinstance(example["names"], list)) == (False, True)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("crm.account", "sap.account", "context.crm.from: there is no connector `sap`"),
        ("crm.account", "crm.accounts", "has no operation `accounts`; it has account, search"),
        (", view: short", "", "context.crm.arguments: `crm.account` needs `view`"),
        ("view: short", "view: short, x: 1", "arguments.x: `crm.account` takes no such argument"),
        ("input.account_id, view", "input.account, view", "input.schema.json has no `account`"),
        ("input.account_id, view", "input.tags, view", "is a list or an object"),
        ("input.account_id, view", "'input.tags[]', view", "not one of every item"),
        ("trust: trusted\n  names", "fields: [rating]\n  names", "is no approved field: `rating`"),
        ("required: false", "roles: [boss]", "roles"),
        ("required: false", "timeout_s: 60", "timeout_s"),
    ],
)
def test_a_context_that_can_not_be_gathered_is_told_with_its_line(
    tmp_path: Path, old: str, new: str, message: str
):
    assert old in WORKFLOW
    with pytest.raises(ConfigError) as error:
        workflow(tmp_path, WORKFLOW.replace(old, new, 1))
    assert any(message in problem for problem in error.value.problems), error.value.problems
    assert all("workflow.yaml:" in one or "prompt.md:" in one for one in error.value.problems)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("context.crm.name", "context.crm.rating", "the context in workflow.yaml has no `rating`"),
        ("context.crm.name", "context.usage.seats", "has no `usage`"),
        ("context.names | default([])", "context.names", "only the required parts"),
        ("context.crm.name }}", "context.crm.name + 'x' }}", "every field of the context null"),
        ("{{ one.name }}", "{{ one.rating }}", "rating"),
        ("Sum up.", "Sum up {{ context.crm.name }}.", "the system part refers to `context`"),
        ("Sum up.", "Sum up {{ context.names[0].name }}.", "context that is untrusted"),
        ("Sum up.", "Sum up {{ context }}.", "context that is untrusted"),
        (
            "# system\n\nSum up.",
            "---\nsystem_uses_input: true\n---\n# system\n\nFor {{ context.names }}.",
            "context that is untrusted",
        ),
    ],
)
def test_a_prompt_is_held_to_the_context_that_is_declared(
    tmp_path: Path, old: str, new: str, message: str
):
    assert old in PROMPT
    with pytest.raises(ConfigError) as error:
        workflow(tmp_path, prompt=PROMPT.replace(old, new, 1))
    assert any(message in problem for problem in error.value.problems), error.value.problems


def test_trusted_context_may_stand_in_the_system_part_where_that_may_vary(tmp_path: Path):
    head = "---\nsystem_uses_input: true\n---\n# system\n\nFor {{ context.crm.name }}."
    loaded = workflow(tmp_path, prompt=PROMPT.replace("# system\n\nSum up.", head))
    gathered = {"crm": {"name": "Orrin", "renewal_date": None}, "names": [{"name": "a\u200bb"}]}
    system, user = loaded.prompt.render({"account_id": "x"}, gathered)
    assert system.content.startswith("For Orrin.")
    # One part is untrusted: the model is told, and what people can't see is taken out of it.
    assert "is data from outside" in system.content
    assert user.content.endswith("ab")


def test_a_prompt_without_declared_context_has_none(tmp_path: Path):
    bare = WORKFLOW[: WORKFLOW.index("context:")]
    with pytest.raises(ConfigError) as error:
        workflow(tmp_path, bare)
    assert "`context` is not defined; a prompt has only `input`" in error.value.problems[0]


def test_a_citation_rule_names_parts_that_are_declared(tmp_path: Path):
    rule = "checks: {rules: [{field: text, must_cite: {context: [sap]}}]}\n"
    with pytest.raises(ConfigError) as error:
        workflow(tmp_path, WORKFLOW + rule)
    assert "there is no part `sap`; there is crm, names" in error.value.problems[0]
