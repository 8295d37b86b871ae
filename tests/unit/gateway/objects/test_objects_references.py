"""Every object that a body names is found, and nothing that is the application's own."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from headgate.errors import InvalidRequestError
from headgate.gateway.objects.references import mentions_objects, named_in, names_object

NAMES = st.sampled_from(["a", "file_id", "metadata", "model", "type", "source", "conversation"])
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.sampled_from(["file-1", "x"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=20,
)


def mentioned(body: dict[str, object]) -> bool:
    return mentions_objects({k: msgspec.Raw(msgspec.json.encode(v)) for k, v in body.items()})


def found(value: object) -> set[tuple[str, str, str]]:
    return {(one.kind, one.id, one.field) for one in named_in(value).objects}


@pytest.mark.parametrize(
    ("body", "kind", "field"),
    [
        ({"input_file_id": "x"}, "file", "input_file_id"),
        ({"training_file": "x"}, "file", "training_file"),
        ({"a": [{"b": {"file_id": "x"}}]}, "file", "file_id"),
        ({"file_ids": ["x"]}, "file", "file_ids"),
        ({"tools": [{"vector_store_ids": ["x"]}]}, "vector_store", "vector_store_ids"),
        ({"conversation": "x"}, "conversation", "conversation"),
        ({"conversation": {"id": "x"}}, "conversation", "conversation"),
        ({"container": "x"}, "container", "container"),
        ({"container": {"type": "auto", "file_ids": ["x"]}}, "file", "file_ids"),
        ({"source": {"type": "file_id", "id": "x"}}, "file", "id"),
        ({"mask": {"file_id": "x"}}, "file", "file_id"),
        ({"tools": [{"environment": {"skills": [{"skill_id": "x"}]}}]}, "skill", "skill_id"),
        ({"video": {"id": "x"}}, "video", "video"),
    ],
)
def test_an_object_is_found_wherever_it_is_named(body, kind, field):
    assert found(body) == {(kind, "x", field)}
    assert mentioned(body)


def test_what_a_provider_gives_to_all_and_what_only_looks_alike_name_nothing():
    curated = {"type": "skill_reference", "skill_id": "openai-spreadsheets"}
    assert found({"tools": [{"environment": {"skills": [curated]}}]}) == set()
    assert found({"messages": [{"content": [{"type": "video", "video": "https://x/a"}]}]}) == set()


@pytest.mark.parametrize(
    "body",
    [
        {"metadata": {"file_id": "mine"}},
        {"attributes": {"conversation": "mine"}},
        {"conversation": None},
        {"annotations": [{"type": "container_file_citation", "file_id": "cfile_1"}]},
        {"input": [{"type": "code_interpreter_call", "container_id": "cntr_1"}]},
        {"input": [{"type": "file_search_call", "results": [{"file_id": "file-1"}]}]},
        {"properties": {"file_id": {"type": "string"}}},
        {"required": ["file_id"]},
        {"text": "the file_id is file-1"},
        [],
        "file-1",
    ],
)
def test_what_is_the_applications_own_is_left_alone(body):
    assert found(body) == set()


def test_a_field_is_judged_by_its_own_name_where_it_is_handed_in_alone():
    assert named_in("conv_1", "conversation").objects[0].id == "conv_1"
    assert named_in({"file_id": "x"}, "metadata").objects == ()


def test_models_are_found_too():
    nested = {"graders": [{"model": "b"}, {"model": "a"}], "model": "a"}
    assert named_in(nested).models == ("a", "b"), "the outermost first"


@pytest.mark.parametrize("kind", ["stored_completions", "responses", "logs"])
def test_what_every_project_stored_is_no_source(kind):
    with pytest.raises(InvalidRequestError) as refused:
        named_in({"data_source": {"type": "completions", "source": {"type": kind}}})
    assert refused.value.param == "source"
    assert named_in({"data_source": {"type": kind, "source": {"type": "file_content"}}})


@given(JSON)
def test_a_body_that_names_an_object_of_a_call_always_mentions_it(value):
    try:
        named = named_in(value).objects
    except InvalidRequestError:
        return
    # Beside what is set up, as `conversation` is, only files are named deeper down.
    if any(one.field == "file_id" for one in named):
        assert mentioned({"input": [value]})
        assert mentioned({"tools": [value]})


def test_a_letter_written_in_another_way_is_a_mention():
    assert mentions_objects({"input": msgspec.Raw(rb'[{"file\u005fid": "x"}]')})
    assert not mentioned({"model": "gpt-5", "input": "my file_id", "messages": [{"role": "_"}]})
    assert mentioned({"conversation": "x"})
    assert mentioned({"tools": [{"container": "x"}]})
    assert mentioned({"tools": [{"vector_store_ids": ["x"]}]})
    assert mentioned({"tools": [{"environment": {"container_id": "x"}}]})


def test_depth_is_no_obstacle():
    deep: object = {"file_id": "x"}
    for _ in range(50_000):
        deep = [deep]
    assert found(deep) == {("file", "x", "file_id")}


@pytest.mark.parametrize(
    "name", ["file_id", "files[][file_id]", "images[0][file_id]", "file_ids[]"]
)
def test_a_forms_field_that_names_an_object_is_known(name):
    assert names_object(name)
    assert not names_object("model")
    assert not names_object("image[]")


@pytest.mark.parametrize(
    ("listed", "named"),
    [
        ([{"type": "item_reference", "id": "msg_1"}], ("msg_1",)),
        ([{"id": "rs_1"}, {"id": "rs_2", "type": None}, {"id": "rs_1"}], ("rs_1", "rs_2")),
        ([{"id": "msg_1", "role": "assistant", "content": "Said"}], ()),
        ([{"id": "msg_1", "type": "message", "content": []}], ()),
        ([{"id": 7}, "text", {"type": "item_reference"}], ()),
        ("text", ()),
    ],
)
def test_items_are_named_by_their_type_or_by_nothing_but_an_id(listed: Any, named: tuple[str, ...]):
    assert named_in(listed, "input").items == named
    assert named_in({"items": listed}).items == named
    assert named_in({"tools": [{"input": listed, "items": listed}]}).items == ()
    if named:
        assert mentioned({"model": "m", "input": listed})
