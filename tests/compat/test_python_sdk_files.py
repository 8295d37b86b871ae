"""Files and uploads of the official Python SDK, and whose they are."""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator

import pytest
from openai import BadRequestError, NotFoundError, OpenAI

from servers import ADMIN_KEY, RunningServer


def _uploaded(client: OpenAI, content: bytes = b"some text", purpose: str = "user_data") -> str:
    return client.files.create(file=("a.txt", content), purpose=purpose).id


def test_a_file_is_made_shown_read_and_deleted(client: OpenAI, simulated: RunningServer):
    raw = client.files.with_raw_response.create(
        file=("notes.txt", b"Water flows downhill."), purpose="user_data"
    )
    file = raw.parse()
    assert (file.filename, file.bytes, file.purpose) == ("notes.txt", 21, "user_data")
    record = simulated.record(id=raw.headers["x-headgate-call-id"])
    assert (record["endpoint"], record["status"], record["provider"]) == ("files", 200, "openai")
    assert (record["cost_nanousd"], record["price_version"]) == (0, "free")
    assert record["simulated"]
    assert client.files.retrieve(file.id).id == file.id
    assert client.files.content(file.id).read() == b"Water flows downhill."
    assert client.files.delete(file.id).deleted
    with pytest.raises(NotFoundError) as gone:
        client.files.retrieve(file.id)
    assert gone.value.code == "object_not_found"


def test_a_large_file_comes_back_as_it_went(client: OpenAI):
    content = bytes(range(256)) * (40 * 1024)
    file_id = _uploaded(client, content)
    with client.files.with_streaming_response.content(file_id) as reply:
        assert b"".join(reply.iter_bytes()) == content
    client.files.delete(file_id)


def test_a_file_without_a_length_is_sent_on_in_chunks(client: OpenAI, simulated: RunningServer):
    def form() -> Iterator[bytes]:
        yield b'--x\r\nContent-Disposition: form-data; name="purpose"\r\n\r\nuser_data\r\n--x\r\n'
        yield b'Content-Disposition: form-data; name="file"; filename="a"\r\n\r\nabc'
        yield b"\r\n--x--\r\n"

    connection = http.client.HTTPConnection(simulated.host, simulated.port, timeout=20)
    headers = {
        "authorization": f"Bearer {ADMIN_KEY}",
        "content-type": "multipart/form-data; boundary=x",
    }
    connection.request("POST", "/v1/files", form(), headers)
    made = connection.getresponse()
    assert (made.status, json.load(made)["bytes"]) == (200, 3)
    connection.close()


def test_another_project_neither_sees_nor_reads_nor_deletes_a_file(client: OpenAI, others: OpenAI):
    file_id = _uploaded(client)
    for ask in (
        others.files.retrieve,
        others.files.content,
        others.files.delete,
    ):
        with pytest.raises(NotFoundError) as refused:
            ask(file_id)
        assert refused.value.code == "object_not_found"
    assert file_id not in [file.id for file in others.files.list()]
    assert file_id in [file.id for file in client.files.list()]


def test_a_list_shows_each_project_its_own_page_by_page(client: OpenAI, others: OpenAI):
    mine, theirs = [], []
    for _ in range(5):
        mine.append(_uploaded(client, purpose="vision"))
        theirs.append(_uploaded(others, purpose="vision"))
    for application, own in ((client, mine), (others, theirs)):
        for limit in (1, 2, 3, 100):
            listed = [file.id for file in application.files.list(limit=limit, purpose="vision")]
            assert listed == own[::-1]
            listed = [
                file.id
                for file in application.files.list(limit=limit, purpose="vision", order="asc")
            ]
            assert listed == own
    first = client.files.list(limit=2, purpose="vision")
    assert first.has_more
    assert not client.files.list(limit=5, purpose="vision").has_more
    with pytest.raises(BadRequestError) as refused:
        client.files.list(after=theirs[0])
    assert refused.value.param == "after"


def test_what_a_list_can_not_be_asked_for_is_refused(client: OpenAI):
    with pytest.raises(BadRequestError) as refused:
        client.files.list(limit=0)
    assert refused.value.param == "limit"


def test_an_upload_in_parts_becomes_a_file_of_the_project(client: OpenAI, others: OpenAI):
    upload = client.uploads.create(
        bytes=6, filename="a.jsonl", mime_type="text/plain", purpose="batch"
    )
    first = client.uploads.parts.create(upload.id, data=b"abc")
    with pytest.raises(NotFoundError):
        others.uploads.parts.create(upload.id, data=b"xyz")
    second = client.uploads.parts.create(upload.id, data=b"def")
    done = client.uploads.complete(upload.id, part_ids=[first.id, second.id])
    assert done.file is not None
    assert client.files.content(done.file.id).read() == b"abcdef"
    with pytest.raises(NotFoundError):
        others.files.retrieve(done.file.id)


def test_an_upload_is_given_up(client: OpenAI, others: OpenAI):
    upload = client.uploads.create(
        bytes=6, filename="a.txt", mime_type="text/plain", purpose="user_data"
    )
    with pytest.raises(NotFoundError):
        others.uploads.cancel(upload.id)
    assert client.uploads.cancel(upload.id).status == "cancelled"


def test_the_sdk_uploads_a_large_file_in_chunks_by_itself(client: OpenAI):
    content = b"0123456789" * 10_000
    done = client.uploads.upload_file_chunked(
        file=content,
        filename="big.txt",
        bytes=len(content),
        mime_type="text/plain",
        purpose="user_data",
        part_size=30_000,
    )
    assert done.file is not None
    assert client.files.content(done.file.id).read() == content
