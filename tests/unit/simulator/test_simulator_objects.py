"""The simulator's files, batches, stores and their like have the published shapes and behave."""

from __future__ import annotations

import json
from typing import Any

import openai
import pytest
from openai.types import (
    Batch,
    ContainerCreateResponse,
    FileObject,
    ImagesResponse,
    Upload,
    VectorStore,
    VectorStoreSearchResponse,
)
from openai.types.audio import Transcription
from openai.types.containers import FileCreateResponse
from openai.types.conversations import Conversation
from openai.types.fine_tuning import FineTuningJob, FineTuningJobEvent
from openai.types.fine_tuning.jobs import FineTuningJobCheckpoint
from openai.types.responses import CompactedResponse, InputTokenCountResponse
from openai.types.uploads import UploadPart
from openai.types.vector_stores import VectorStoreFile
from test_simulator_specification import complaints


def shown(kind: Any, raw: Any) -> Any:
    """A reply, once its fields are seen to be those of `kind`."""
    value = json.loads(raw.text if hasattr(raw, "text") else raw.content)
    assert complaints(kind, value) == []
    return value


def a_file(client: openai.OpenAI, content: bytes, purpose: Any = "user_data") -> dict[str, Any]:
    raw = client.files.with_raw_response.create(file=("a.jsonl", content), purpose=purpose)
    return dict(shown(FileObject, raw))


def test_files(client: openai.OpenAI):
    file = a_file(client, b"abc")
    assert client.files.content(file["id"]).read() == b"abc"
    assert next(one.id for one in client.files.list(limit=1)) == file["id"]
    assert client.files.delete(file["id"]).deleted
    with pytest.raises(openai.NotFoundError):
        client.files.retrieve(file["id"])
    with pytest.raises(openai.BadRequestError):
        client.files.create(file=("a", b"x"), purpose="nothing")  # type: ignore[arg-type]


def test_uploads(client: openai.OpenAI):
    upload = shown(
        Upload,
        client.uploads.with_raw_response.create(
            bytes=4, filename="a", mime_type="text/plain", purpose="user_data"
        ),
    )
    part = shown(
        UploadPart, client.uploads.parts.with_raw_response.create(upload["id"], data=b"ab")
    )
    with pytest.raises(openai.BadRequestError):
        client.uploads.complete(upload["id"], part_ids=[part["id"]])
    other = client.uploads.parts.create(upload["id"], data=b"cd")
    done = shown(
        Upload,
        client.uploads.with_raw_response.complete(upload["id"], part_ids=[other.id, part["id"]]),
    )
    assert client.files.content(done["file"]["id"]).read() == b"cdab"
    with pytest.raises(openai.BadRequestError):
        client.uploads.cancel(upload["id"])


def test_a_batch_of_what_the_endpoints_themselves_answer(client: openai.OpenAI):
    body = {"model": "text-embedding-3-small", "input": "x", "dimensions": 8}
    line = {"custom_id": "1", "method": "POST", "url": "/v1/embeddings", "body": body}
    file = a_file(client, json.dumps(line).encode() + b"\n", "batch")
    named: Any = {"endpoint": "/v1/embeddings", "completion_window": "24h"}
    raw = client.batches.with_raw_response.create(input_file_id=file["id"], **named)
    batch = shown(Batch, raw)
    done = shown(Batch, client.batches.with_raw_response.retrieve(batch["id"]))
    assert (done["status"], done["request_counts"]["completed"]) == ("completed", 1)
    written = json.loads(client.files.content(done["output_file_id"]).text)
    straight = client.embeddings.create(**body)
    assert written["response"]["body"]["data"][0]["embedding"] == straight.data[0].embedding
    assert done["usage"]["input_tokens"] == straight.usage.prompt_tokens
    broken = client.batches.create(input_file_id=a_file(client, b"{", "batch")["id"], **named)
    failed = shown(Batch, client.batches.with_raw_response.retrieve(broken.id))
    assert failed["status"] == "failed"


def test_conversations(client: openai.OpenAI):
    made = shown(Conversation, client.conversations.with_raw_response.create())
    client.conversations.items.create(
        made["id"], items=[{"type": "message", "role": "user", "content": "Hi"}]
    )
    (item,) = client.conversations.items.list(made["id"])
    assert item.type == "message"
    assert item.content[0].text == "Hi"  # type: ignore[union-attr]


def test_vector_stores(client: openai.OpenAI):
    file = a_file(client, b"Bread is made of flour and water.", "assistants")
    raw = client.vector_stores.with_raw_response.create(
        file_ids=[file["id"]], expires_after={"anchor": "last_active_at", "days": 1}
    )
    store = shown(VectorStore, raw)
    raw = client.vector_stores.files.with_raw_response.retrieve(
        file["id"], vector_store_id=store["id"]
    )
    shown(VectorStoreFile, raw)
    found = shown(Any, client.vector_stores.with_raw_response.search(store["id"], query="flour"))
    assert complaints(VectorStoreSearchResponse, found["data"][0]) == []


def test_fine_tuning(client: openai.OpenAI):
    file = a_file(client, b"{}\n", "fine-tune")
    jobs = client.fine_tuning.jobs
    raw = jobs.with_raw_response.create(model="gpt-4.1-mini", training_file=file["id"])
    job = shown(FineTuningJob, raw)
    assert shown(FineTuningJob, jobs.with_raw_response.retrieve(job["id"]))["fine_tuned_model"]
    for kind, raw in (
        (FineTuningJobEvent, jobs.with_raw_response.list_events(job["id"])),
        (FineTuningJobCheckpoint, jobs.checkpoints.with_raw_response.list(job["id"])),
    ):
        assert complaints(kind, shown(Any, raw)["data"][0]) == []


def test_containers(client: openai.OpenAI):
    box = shown(ContainerCreateResponse, client.containers.with_raw_response.create(name="box"))
    raw = client.containers.files.with_raw_response.create(box["id"], file=b"abc")
    put = shown(FileCreateResponse, raw)
    content = client.containers.files.content.retrieve(put["id"], container_id=box["id"])
    assert content.read() == b"abc"


def test_audio_and_images(client: openai.OpenAI):
    raw = client.audio.transcriptions.with_raw_response.create(
        model="gpt-4o-transcribe", file=("a.wav", b"abc")
    )
    shown(Transcription, raw)
    shown(ImagesResponse, client.images.with_raw_response.generate(model="gpt-image-2", prompt="x"))
    spoken = client.audio.speech.create(model="tts-1", voice="alloy", input="x")
    assert spoken.response.headers["content-type"] == "audio/mpeg"


def test_what_stands_beside_responses(client: openai.OpenAI):
    made = client.responses.with_raw_response.compact(model="gpt-5.4", input="A story.")
    shown(CompactedResponse, made)
    counted = client.responses.input_tokens.with_raw_response.count(model="gpt-5.4", input="A")
    shown(InputTokenCountResponse, counted)
