"""A call's form: held in bounds, told again as often as needed, with the model put in its place."""

from __future__ import annotations

import asyncio

import pytest

from headgate.errors import InvalidRequestError, UnavailableError
from headgate.gateway.forms import SpooledForm, SpoolRoom, spool
from headgate.gateway.forms.spooled_bytes import IN_MEMORY_BYTES

MIB = 1024 * 1024
TYPE = b"multipart/form-data; boundary=x1"


class Source:
    def __init__(self, body: bytes, size: int = 50_000) -> None:
        self.length_bytes = len(body)
        self._pieces = [body[at : at + size] for at in range(0, len(body), size)]

    async def next_chunk(self) -> bytes:
        await asyncio.sleep(0)
        return self._pieces.pop(0) if self._pieces else b""


def form(model: bytes | None, size: int, *, model_last: bool = False) -> bytes:
    file = b'--x1\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n%b\r\n'
    file %= bytes(range(256)) * (size // 256)
    named = b""
    if model is not None:
        named = b'--x1\r\nContent-Disposition: form-data; name="model"\r\n\r\n%b\r\n' % model
    return (file + named if model_last else named + file) + b"--x1--\r\n"


async def told(form: SpooledForm, model: str) -> bytes:
    body = form.body_for(model)
    parts = []
    while data := await body.next_chunk():
        parts.append(data)
    joined = b"".join(parts)
    assert len(joined) == body.length_bytes
    return joined


@pytest.mark.parametrize("size", [256, 3 * MIB])
@pytest.mark.parametrize("model_last", [False, True])
async def test_a_form_is_told_again_with_another_model(size, model_last):
    room = SpoolRoom(100 * MIB)
    spooled = await spool(Source(form(b"ears", size, model_last=model_last)), TYPE, room)
    for model in (b"whisper-1", b"ears", b"a-much-longer-name-than-before"):
        expected = form(model, size, model_last=model_last)
        assert await told(spooled, model.decode()) == expected
    both = await asyncio.gather(told(spooled, "a"), told(spooled, "b"))
    assert both[0].replace(b"\r\n\r\na\r\n", b"\r\n\r\nb\r\n") == both[1]
    spooled.close()
    assert room.used_bytes == 0


async def test_a_form_without_a_model_is_told_as_it_came_or_given_one():
    spooled = await spool(Source(form(None, 2 * MIB)), TYPE, SpoolRoom(100 * MIB))
    assert await told(spooled, "") == form(None, 2 * MIB)
    assert await told(spooled, "chosen") == form(b"chosen", 2 * MIB)
    spooled.close()


async def test_a_small_form_takes_no_room():
    room = SpoolRoom(0)
    spooled = await spool(Source(form(b"m", IN_MEMORY_BYTES // 2)), TYPE, room)
    assert room.used_bytes == 0
    spooled.close()


async def test_a_form_that_finds_no_room_is_refused_and_leaves_none_taken():
    room = SpoolRoom(2 * MIB)
    with pytest.raises(UnavailableError):
        await spool(Source(form(b"m", 5 * MIB)), TYPE, room)
    assert room.used_bytes == 0


async def test_a_form_that_is_not_well_formed_leaves_nothing_behind():
    room = SpoolRoom(100 * MIB)
    with pytest.raises(InvalidRequestError):
        await spool(Source(form(b"m", 3 * MIB)[:-8]), TYPE, room)
    assert room.used_bytes == 0


async def test_a_form_that_is_given_up_while_it_comes_leaves_nothing_behind():
    room = SpoolRoom(100 * MIB)
    spooling = asyncio.ensure_future(spool(Source(form(b"m", 20 * MIB), 256), TYPE, room))
    while not room.used_bytes:
        await asyncio.sleep(0.001)
    spooling.cancel()
    with pytest.raises(asyncio.CancelledError):
        await spooling
    assert room.used_bytes == 0


@pytest.mark.parametrize("size", [256, 3 * MIB])
async def test_a_file_is_given_another_name_and_other_content(size):
    room = SpoolRoom(100 * MIB)
    spooled = await spool(Source(form(b"m", size, model_last=True)), TYPE, room)
    (file,) = spooled.reader.files
    spooled.rename(file, b"other.txt")
    content = spooled.refill(file)
    for _ in range(3):
        await content.add(b"y" * size)
    spooled.replace("model", [b"n"])
    expected = form(b"n", size, model_last=True).replace(b'filename="a"', b'filename="other.txt"')
    was = bytes(range(256)) * (size // 256)
    assert await told(spooled, "") == expected.replace(was, b"y" * 3 * size)
    spooled.close()
    assert room.used_bytes == 0, "what was put in its place is forgotten too"
