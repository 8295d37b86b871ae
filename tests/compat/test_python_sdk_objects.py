"""Batches, conversations, vector stores and their like of the official Python SDK.

Of each: it works as it does straight, it leaves its record, and another project can't reach it.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from openai import BadRequestError, NotFoundError, OpenAI, PermissionDeniedError

from servers import Reply, RunningServer


def a_file(client: OpenAI, content: bytes = b"{}", purpose: Any = "user_data") -> str:
    return client.files.create(file=("a.jsonl", content), purpose=purpose).id


def refused(ask: Callable[..., Any], *arguments: Any, **named: Any) -> None:
    """What another project is told in an address: that there is no such thing."""
    with pytest.raises(NotFoundError) as error:
        ask(*arguments, **named)
    assert error.value.code == "object_not_found"


def refused_in_body(field: str, ask: Callable[..., Any], *arguments: Any, **named: Any) -> None:
    """What another project is told in a body."""
    with pytest.raises(BadRequestError) as error:
        ask(*arguments, **named)
    assert (error.value.code, error.value.param) == ("object_not_found", field)


def test_a_batch_is_answered_and_its_files_are_its_projects(
    client: OpenAI, others: OpenAI, simulated: RunningServer
):
    lines = [
        {
            "custom_id": f"line-{number}",
            "method": "POST",
            "url": "/v1/chat/completions",
            "body": {
                "model": "gpt-4.1-mini",
                "messages": [{"role": "user", "content": content}],
            },
        }
        for number, content in enumerate(["Hello", "Good night", None])
    ]
    file_id = a_file(client, "\n".join(map(json.dumps, lines)).encode(), "batch")
    named: Any = {
        "input_file_id": file_id,
        "endpoint": "/v1/chat/completions",
        "completion_window": "24h",
    }
    refused_in_body("input_file_id", others.batches.create, **named)
    raw = client.batches.with_raw_response.create(**named)
    batch = raw.parse()
    assert batch.status == "validating"
    record = simulated.record(id=raw.headers["x-headgate-call-id"])
    assert (record["endpoint"], record["price_version"]) == ("batches", "later")
    refused(others.batches.retrieve, batch.id)
    refused(others.batches.cancel, batch.id)
    done = client.batches.retrieve(batch.id)
    assert done.status == "completed"
    assert done.output_file_id
    assert done.error_file_id
    written = client.files.content(done.output_file_id).text.splitlines()
    assert {json.loads(line)["custom_id"] for line in written} == {"line-0", "line-1"}
    refused(others.files.content, done.output_file_id)
    refused(others.files.content, done.error_file_id)
    assert batch.id in [listed.id for listed in client.batches.list()]
    assert batch.id not in [listed.id for listed in others.batches.list()]
    assert client.files.content(done.error_file_id).text
    client.batches.retrieve(batch.id)
    settled = simulated.record(endpoint="batches/usage")
    assert done.usage is not None
    assert (settled["service_tier"], settled["model_answered"]) == ("batch", done.model)
    taken, given = done.usage.input_tokens, done.usage.output_tokens
    assert (settled["input_tokens"], settled["output_tokens"]) == (taken, given)
    assert settled["cost_nanousd"] == taken * 200 + given * 800, "half of the usual price"
    assert settled["key_id"] == record["key_id"]


def test_a_batch_is_cancelled(client: OpenAI):
    batch = client.batches.create(
        input_file_id=a_file(client, purpose="batch"),
        endpoint="/v1/responses",
        completion_window="24h",
    )
    assert client.batches.cancel(batch.id).status == "cancelling"


def test_a_key_of_certain_models_begins_nothing_that_runs_others(
    client: OpenAI, simulated: RunningServer
):
    key = simulated.new_key(models=["gpt-4.1-mini"])
    with OpenAI(base_url=simulated.base_url, api_key=key, max_retries=0) as bound:
        file_id = a_file(bound, purpose="batch")
        for ask in (
            lambda: bound.batches.create(
                input_file_id=file_id, endpoint="/v1/responses", completion_window="24h"
            ),
            lambda: bound.fine_tuning.jobs.create(model="gpt-4.1", training_file=file_id),
            bound.realtime.client_secrets.create,
            lambda: bound.realtime.client_secrets.create(
                session={"type": "realtime", "model": "gpt-realtime"}
            ),
        ):
            with pytest.raises(PermissionDeniedError) as refusal:
                ask()
            assert refusal.value.code == "model_not_allowed"
        assert bound.fine_tuning.jobs.create(model="gpt-4.1-mini", training_file=file_id).id


def test_a_conversation_and_its_items(client: OpenAI, others: OpenAI):
    conversation = client.conversations.create(
        items=[{"type": "message", "role": "user", "content": "Hello"}], metadata={"a": "b"}
    )
    added = client.conversations.items.create(
        conversation.id, items=[{"type": "message", "role": "user", "content": "Again"}]
    )
    item_id = added.data[0].id
    assert item_id
    assert len(list(client.conversations.items.list(conversation.id))) == 2
    assert client.conversations.items.retrieve(item_id, conversation_id=conversation.id)
    assert client.conversations.update(conversation.id, metadata={}).metadata == {}
    refused(others.conversations.retrieve, conversation.id)
    refused(others.conversations.update, conversation.id, metadata={})
    refused(others.conversations.delete, conversation.id)
    refused(others.conversations.items.create, conversation.id, items=[])
    refused(others.conversations.items.retrieve, item_id, conversation_id=conversation.id)
    refused(others.conversations.items.delete, item_id, conversation_id=conversation.id)
    with pytest.raises(NotFoundError):
        list(others.conversations.items.list(conversation.id))
    client.conversations.items.delete(item_id, conversation_id=conversation.id)
    assert client.conversations.delete(conversation.id).deleted
    refused(client.conversations.retrieve, conversation.id)


def test_a_vector_store_its_files_and_a_search(client: OpenAI, others: OpenAI):
    rivers = a_file(client, b"The Rhine flows from the Alps to the North Sea.", "assistants")
    taxes = a_file(client, b"A tax return is due in July.", "assistants")
    refused_in_body("file_ids", others.vector_stores.create, file_ids=[rivers])
    store = client.vector_stores.create(name="facts", file_ids=[rivers])
    assert store.file_counts.completed == 1
    assert client.vector_stores.files.create(store.id, file_id=taxes).status == "completed"
    found = client.vector_stores.search(store.id, query="Where does the river Rhine flow?")
    assert found.data[0].file_id == rivers
    assert {f.id for f in client.vector_stores.files.list(store.id)} == {rivers, taxes}
    assert client.vector_stores.files.content(taxes, vector_store_id=store.id).data
    theirs = others.vector_stores.create(name="theirs")
    refused_in_body("file_id", others.vector_stores.files.create, theirs.id, file_id=rivers)
    refused_in_body(
        "file_ids", others.vector_stores.file_batches.create, theirs.id, file_ids=[rivers]
    )
    for ask in (
        others.vector_stores.retrieve,
        others.vector_stores.delete,
        others.vector_stores.update,
    ):
        refused(ask, store.id)
    refused(others.vector_stores.search, store.id, query="x")
    refused(others.vector_stores.files.retrieve, taxes, vector_store_id=store.id)
    assert [s.id for s in others.vector_stores.list()] == [theirs.id]
    assert store.id in [s.id for s in client.vector_stores.list(limit=1)]
    batch = client.vector_stores.file_batches.create(store.id, file_ids=[rivers])
    assert client.vector_stores.file_batches.retrieve(batch.id, vector_store_id=store.id)
    assert list(client.vector_stores.file_batches.list_files(batch.id, vector_store_id=store.id))
    client.vector_stores.files.delete(taxes, vector_store_id=store.id)
    assert client.vector_stores.delete(store.id).deleted


def test_a_page_of_vector_stores_before_another(client: OpenAI, others: OpenAI):
    made = []
    for number in range(4):
        made.append(client.vector_stores.create(name=str(number)).id)
        others.vector_stores.create(name=str(number))
    newest = made[::-1]
    page = client.vector_stores.list(limit=2, before=newest[3])
    assert [store.id for store in page.data] == newest[1:3]
    assert page.has_more
    page = client.vector_stores.list(limit=2, after=newest[1])
    assert [store.id for store in page.data] == newest[2:]


def test_a_fine_tuning_job(client: OpenAI, others: OpenAI):
    file_id = a_file(client, b'{"messages": []}\n', "fine-tune")
    refused_in_body(
        "training_file",
        others.fine_tuning.jobs.create,
        model="gpt-4.1-mini",
        training_file=file_id,
    )
    job = client.fine_tuning.jobs.create(model="gpt-4.1-mini", training_file=file_id)
    refused(others.fine_tuning.jobs.retrieve, job.id)
    refused(others.fine_tuning.jobs.cancel, job.id)
    refused(others.fine_tuning.jobs.list_events, job.id)
    done = client.fine_tuning.jobs.retrieve(job.id)
    assert done.status == "succeeded"
    assert client.files.content(done.result_files[0]).text
    refused(others.files.content, done.result_files[0])
    assert list(client.fine_tuning.jobs.list_events(job.id))
    assert list(client.fine_tuning.jobs.checkpoints.list(job.id))
    assert job.id in [one.id for one in client.fine_tuning.jobs.list()]
    assert job.id not in [one.id for one in others.fine_tuning.jobs.list()]
    second = client.fine_tuning.jobs.create(model="gpt-4.1-mini", training_file=file_id)
    assert client.fine_tuning.jobs.pause(second.id).id == second.id
    assert client.fine_tuning.jobs.resume(second.id).status == "running"
    assert client.fine_tuning.jobs.cancel(second.id).status == "cancelled"
    assert done.fine_tuned_model
    refused(others.models.delete, done.fine_tuned_model)
    refused(client.models.delete, "gpt-4.1-mini")
    assert client.models.delete(done.fine_tuned_model).deleted
    refused(client.models.delete, done.fine_tuned_model)


def test_a_container_and_its_files(client: OpenAI, others: OpenAI):
    file_id = a_file(client, b"a,b\n1,2\n")
    refused_in_body("file_ids", others.containers.create, name="x", file_ids=[file_id])
    container = client.containers.create(name="box", file_ids=[file_id])
    put = client.containers.files.create(container.id, file=("c.csv", b"c\n3\n"))
    named = client.containers.files.create(container.id, file_id=file_id)
    read = client.containers.files.content.retrieve(put.id, container_id=container.id)
    assert read.read() == b"c\n3\n"
    assert len(list(client.containers.files.list(container.id))) == 3
    theirs = others.containers.create(name="theirs")
    refused_in_body("file_id", others.containers.files.create, theirs.id, file_id=file_id)
    refused(others.containers.retrieve, container.id)
    refused(others.containers.delete, container.id)
    refused(others.containers.files.create, container.id, file=b"x")
    refused(others.containers.files.content.retrieve, put.id, container_id=container.id)
    assert [one.id for one in others.containers.list()] == [theirs.id]
    client.containers.files.delete(named.id, container_id=container.id)
    client.containers.delete(container.id)
    refused(client.containers.retrieve, container.id)


def test_an_object_that_a_form_names_must_be_the_projects_own(
    client: OpenAI, others: OpenAI, simulated: RunningServer
):
    container = client.containers.create(name="box")

    def put(file_id: str) -> Reply:
        head = b'--x\r\nContent-Disposition: form-data; name="file_id"\r\n\r\n'
        return simulated.request(
            "POST",
            f"/v1/containers/{container.id}/files",
            head + file_id.encode() + b"\r\n--x--\r\n",
            headers={"content-type": "multipart/form-data; boundary=x"},
        )

    for file_id in (a_file(others), "file-1", "é"):
        refused_form = put(file_id)
        assert (refused_form.status, refused_form.error["param"]) == (400, "file_id")
    assert list(client.containers.files.list(container.id)) == []
    assert put(a_file(client, b"mine")).status == 200
    (file,) = client.containers.files.list(container.id)
    assert client.containers.files.content.retrieve(file.id, container_id=container.id).read() == (
        b"mine"
    )


def test_an_eval_and_its_runs(client: OpenAI, others: OpenAI):
    made = client.evals.create(
        name="greetings",
        data_source_config={"type": "custom", "item_schema": {"type": "object"}},
        testing_criteria=[
            {
                "type": "string_check",
                "name": "same",
                "input": "{{item.a}}",
                "reference": "{{item.b}}",
                "operation": "eq",
            }
        ],
    )
    file_id = a_file(client, b'{"item": {"a": "x", "b": "x"}}\n', "evals")
    source: Any = {"type": "jsonl", "source": {"type": "file_id", "id": file_id}}
    run = client.evals.runs.create(made.id, data_source=source)
    assert run.result_counts.total == 1
    items = list(client.evals.runs.output_items.list(run.id, eval_id=made.id))
    assert client.evals.runs.output_items.retrieve(items[0].id, eval_id=made.id, run_id=run.id)
    refused(others.evals.retrieve, made.id)
    refused(others.evals.delete, made.id)
    refused(others.evals.runs.retrieve, run.id, eval_id=made.id)
    refused(others.evals.runs.create, made.id, data_source=source)
    theirs = others.evals.create(
        data_source_config={"type": "custom", "item_schema": {"type": "object"}},
        testing_criteria=[],
    )
    refused_in_body("id", others.evals.runs.create, theirs.id, data_source=source)
    stored: Any = {"type": "completions", "source": {"type": "stored_completions"}}
    with pytest.raises(BadRequestError) as refusal:
        others.evals.runs.create(theirs.id, data_source=stored)
    assert refusal.value.param == "source"
    assert [one.id for one in others.evals.list()] == [theirs.id]
    assert client.evals.update(made.id, name="better").name == "better"
    client.evals.runs.cancel(run.id, eval_id=made.id)
    client.evals.runs.delete(run.id, eval_id=made.id)
    client.evals.delete(made.id)


def test_a_call_may_name_its_own_projects_objects_only(client: OpenAI, others: OpenAI):
    file_id = a_file(client, b"The Rhine.", "user_data")
    store = client.vector_stores.create(file_ids=[file_id])
    conversation = client.conversations.create()
    container = client.containers.create(name="box")

    def of_a_file(application: OpenAI, written: str = "file_id") -> Any:
        parts: Any = [{"type": "input_file", written: file_id}, {"type": "input_text", "text": "?"}]
        return application.responses.create(
            model="gpt-4.1-mini", input=[{"role": "user", "content": parts}]
        )

    def of_a_store(application: OpenAI) -> Any:
        return application.responses.create(
            model="gpt-4.1-mini",
            input="Where is the Rhine?",
            tools=[{"type": "file_search", "vector_store_ids": [store.id]}],
        )

    def of_a_conversation(application: OpenAI) -> Any:
        return application.responses.create(
            model="gpt-4.1-mini", input="Hello", conversation=conversation.id
        )

    def of_a_conversation_object(application: OpenAI) -> Any:
        return application.responses.create(
            model="gpt-4.1-mini", input="Hello", conversation={"id": conversation.id}
        )

    def of_a_container(application: OpenAI) -> Any:
        return application.responses.create(
            model="gpt-4.1-mini",
            input="Count",
            tools=[{"type": "code_interpreter", "container": container.id}],
        )

    def of_a_chats_file(application: OpenAI) -> Any:
        content: Any = [{"type": "file", "file": {"file_id": file_id}}]
        return application.chat.completions.create(
            model="gpt-4.1-mini", messages=[{"role": "user", "content": content}]
        )

    for field, ask in (
        ("file_id", of_a_file),
        ("vector_store_ids", of_a_store),
        ("conversation", of_a_conversation),
        ("conversation", of_a_conversation_object),
        ("container", of_a_container),
        ("file_id", of_a_chats_file),
    ):
        refused_in_body(field, ask, others)
        try:
            ask(client)
        except BadRequestError as error:
            # The simulator does not know each of these tools.
            assert error.code != "object_not_found", ask  # noqa: PT017


def test_an_object_is_found_however_its_field_is_written(
    client: OpenAI, others: OpenAI, simulated: RunningServer
):
    file_id = a_file(client)
    key = simulated.new_key(project="others")
    for written in (r"file\u005fid", r"\u0066ile_id"):
        body = (
            b'{"model":"gpt-4.1-mini","input":[{"role":"user","content":'
            b'[{"type":"input_file","%b":"%b"}]}]}' % (written.encode(), file_id.encode())
        )
        reply = simulated.post("/v1/responses", body, key=key)
        assert (reply.status, reply.error["code"]) == (400, "object_not_found")
    twice = (
        b'{"model":"gpt-4.1-mini","conversation":null,"input":[{"role":"user","content":'
        b'[{"type":"input_file","file_id":"%b","file_id":"mine"}]}]}' % file_id.encode()
    )
    assert simulated.post("/v1/responses", twice, key=key).status == 400


def test_what_an_application_calls_its_own_things_is_not_taken_for_an_object(client: OpenAI):
    answer = client.responses.create(
        model="gpt-4.1-mini",
        input="Say the file_id",
        metadata={"file_id": "mine", "conversation": "42"},
        tools=[
            {
                "type": "function",
                "name": "open",
                "strict": False,
                "parameters": {"type": "object", "properties": {"file_id": {"type": "string"}}},
            }
        ],
    )
    assert answer.status == "completed"
