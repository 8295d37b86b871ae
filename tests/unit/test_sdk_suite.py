"""`make compat` tells what passes straight and fails through Headgate, and hides nothing else."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

SUITE = Path(__file__).parents[1] / "sdk_suite"
sys.path.insert(0, str(SUITE))

from comparison import Outcome, compare, counted  # noqa: E402
from specification import specification  # noqa: E402

PASSED = Outcome("passed", "")
CHAT = "tests/api_resources/chat/test_completions.py::TestCompletions::test_method_create"
MODELS = "tests/api_resources/test_models.py::TestModels::test_method_list"
ADMIN = "tests/api_resources/admin/organization/test_users.py::TestUsers::test_method_list"
API = """\
- <code title="post /chat/completions">client.chat.completions.<a href="./x.py">create</a>(\\*\\*\
<a href="src/openai/types/chat/completion_create_params.py">params</a>) -> ChatCompletion</code>
- <code title="get /models">client.models.<a href="./x.py">list</a>() -> SyncPage[Model]</code>
- <code title="get /files/{file_id}/content">client.files.<a href="./x.py">content</a>(file_id) \
-> HttpxBinaryResponseContent</code>
- <code title="post /fine_tuning/checkpoints/{fine_tuned_model_checkpoint}/permissions">\
client.fine_tuning.checkpoints.permissions.<a href="./x.py">create</a>(fine_tuned_model_checkpoint,\
 \\*\\*<a href="src/openai/types/fine_tuning/checkpoints/permission_create_params.py">params</a>)\
 -> SyncPage[PermissionCreateResponse]</code>
"""


def test_only_what_passes_straight_must_pass_through():
    found = compare(
        {CHAT: PASSED, MODELS: Outcome("failed", "")}, {CHAT: PASSED, MODELS: Outcome("failed", "")}
    )
    assert (found.passed_straight, found.must_pass) == (1, ())


def test_what_fails_through_headgate_is_told_by_resource_with_its_reason():
    refused = Outcome("failed", "NotFoundError: 404 - req_0123\nmore")
    found = compare({CHAT: PASSED, MODELS: PASSED}, {CHAT: refused, MODELS: PASSED})
    assert [one.resource for one in found.must_pass] == ["chat/completions"]
    assert "1 times: NotFoundError: 404 - req_…\n" in found.told()
    assert "2 pass straight; 1 of them must pass" in found.told()


def test_a_test_that_was_not_run_has_failed():
    assert compare({CHAT: PASSED}, {}).must_pass[0].why == "it was not run"


def test_a_waived_test_may_fail_and_is_told_with_the_reason():
    found = compare({ADMIN: PASSED}, {ADMIN: Outcome("failed", "404")})
    assert found.must_pass == ()
    assert "1 fail and need not pass: organisation administration" in found.told()


def test_outcomes_are_counted():
    assert counted({CHAT: PASSED, ADMIN: PASSED, MODELS: Outcome("failed", "")}) == (
        "1 failed, 2 passed"
    )


@pytest.fixture(scope="module")
def derived(tmp_path_factory: pytest.TempPathFactory) -> dict:
    source = tmp_path_factory.mktemp("source")
    (source / "api.md").write_text(API, "utf-8")
    found, untold = specification(source)
    assert untold == []
    return found


def resolved(derived: dict, schema: dict) -> dict:
    name = schema.get("$ref", "").rpartition("/")[2]
    return derived["components"]["schemas"][name] if name else schema


def test_a_specification_is_derived_from_the_sdks_own_types(derived: dict):
    operation = derived["paths"]["/chat/completions"]["post"]
    reply = operation["responses"]["200"]["content"]["application/json"]["schema"]
    assert {"id", "choices", "model", "object"} <= set(resolved(derived, reply)["required"])
    request = operation["requestBody"]["content"]["application/json"]["schema"]
    assert len(request["anyOf"]) == 2
    pages = derived["paths"]["/models"]["get"]["responses"]["200"]["content"]["application/json"]
    assert "data" in resolved(derived, pages["schema"])["properties"]
    content = derived["paths"]["/files/{file_id}/content"]["get"]["responses"]["200"]["content"]
    assert set(content) == {"application/octet-stream"}


def test_every_reference_of_a_derived_specification_leads_somewhere(derived: dict):
    text = json.dumps(derived)
    names = {part.partition('"')[0] for part in text.split('"#/components/schemas/')[1:]}
    assert names
    assert names <= set(derived["components"]["schemas"])


def test_a_request_does_not_require_in_its_body_what_stands_in_its_path(derived: dict):
    path = "/fine_tuning/checkpoints/{fine_tuned_model_checkpoint}/permissions"
    operation = derived["paths"][path]["post"]
    assert [one["name"] for one in operation["parameters"]] == ["fine_tuned_model_checkpoint"]
    schema = operation["requestBody"]["content"]["application/json"]["schema"]
    assert schema["required"] == ["project_ids"]
