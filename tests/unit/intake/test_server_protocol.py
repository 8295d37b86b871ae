"""A reply's head goes out with what follows it, and alone where nothing does."""

from __future__ import annotations

import asyncio

import pytest

from headgate.intake.http.server_protocol import JoiningTransport

HEAD = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n"


class Recorder(asyncio.Transport):
    def __init__(self) -> None:
        super().__init__()
        self.writes: list[bytes] = []
        self.closed = False

    def write(self, data: bytes) -> None:
        self.writes.append(bytes(data))

    def close(self) -> None:
        self.closed = True


@pytest.fixture
def recorder() -> Recorder:
    return Recorder()


def test_head_and_body_are_one_write(recorder: Recorder) -> None:
    transport = JoiningTransport(recorder)
    transport.write(HEAD)
    assert recorder.writes == []
    transport.write(b"ok")
    assert recorder.writes == [HEAD + b"ok"]


def test_chunks_after_the_first_go_out_at_once(recorder: Recorder) -> None:
    transport = JoiningTransport(recorder)
    for data in (HEAD, b"one", b"two"):
        transport.write(data)
    assert recorder.writes == [HEAD + b"one", b"two"]


def test_a_head_with_nothing_after_it_is_released(recorder: Recorder) -> None:
    transport = JoiningTransport(recorder)
    transport.write(HEAD)
    transport.release()
    assert recorder.writes == [HEAD]


def test_closing_sends_what_is_held(recorder: Recorder) -> None:
    transport = JoiningTransport(recorder)
    transport.write(HEAD)
    transport.close()
    assert recorder.writes == [HEAD]
    assert recorder.closed


def test_an_interim_response_is_not_held(recorder: Recorder) -> None:
    transport = JoiningTransport(recorder)
    transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
    assert recorder.writes == [b"HTTP/1.1 100 Continue\r\n\r\n"]


def test_a_body_that_looks_like_a_head_is_a_body(recorder: Recorder) -> None:
    transport = JoiningTransport(recorder)
    transport.write(HEAD)
    transport.write(HEAD)
    assert recorder.writes == [HEAD + HEAD]
