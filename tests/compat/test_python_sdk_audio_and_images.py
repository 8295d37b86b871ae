"""Audio and images of the official Python SDK: calls like all others, as forms and as bytes."""

from __future__ import annotations

import base64
import io
import wave
from typing import Any

import pytest
from openai import APIError, OpenAI, PermissionDeniedError

from servers import RunningServer, StartServer

RECORDING = bytes(range(256)) * 250
LARGE = bytes(range(256)) * (12 * 1024)


def test_a_transcription_is_a_call_with_its_price(client: OpenAI, simulated: RunningServer):
    raw = client.audio.transcriptions.with_raw_response.create(
        model="gpt-4o-transcribe", file=("a.wav", RECORDING), prompt="Names: Ada."
    )
    text = raw.parse()
    assert f"{len(RECORDING)} bytes" in text.text
    record = simulated.record(id=raw.headers["x-headgate-call-id"])
    assert (record["endpoint"], record["status"]) == ("audio/transcriptions", 200)
    assert record["model_requested"] == "gpt-4o-transcribe"
    taken, given = record["input_audio_tokens"], record["output_tokens"]
    assert taken == record["input_tokens"]
    assert record["cost_nanousd"] == taken * 6_000 + given * 10_000
    assert raw.headers["x-headgate-target"] == "openai/gpt-4o-transcribe"
    assert float(raw.headers["x-headgate-cost-usd"]) > 0


def test_a_recording_larger_than_what_is_held_arrives_whole(client: OpenAI):
    text = client.audio.transcriptions.create(model="gpt-4o-transcribe", file=("a.wav", LARGE))
    assert f"{len(LARGE)} bytes" in text.text


def test_what_is_charged_by_the_minute_is_unpriced_not_free(
    client: OpenAI, simulated: RunningServer
):
    raw = client.audio.transcriptions.with_raw_response.create(
        model="whisper-1", file=("a.wav", RECORDING), response_format="verbose_json"
    )
    assert raw.parse().duration
    record = simulated.record(id=raw.headers["x-headgate-call-id"])
    assert (record["status"], record["cost_nanousd"]) == (200, None)


@pytest.mark.parametrize("shape", ["text", "srt", "vtt"])
def test_a_transcription_as_text(client: OpenAI, shape: str):
    made = client.audio.transcriptions.create(
        model="whisper-1", file=("a.wav", RECORDING), response_format=shape
    )
    assert "This is recording" in str(made)


def test_a_streamed_transcription(client: OpenAI, simulated: RunningServer):
    stream = client.audio.transcriptions.create(
        model="gpt-4o-mini-transcribe", file=("a.wav", RECORDING), stream=True
    )
    call_id = stream.response.headers["x-headgate-call-id"]
    events = list(stream)
    deltas = [event.delta for event in events if event.type == "transcript.text.delta"]
    assert events[-1].type == "transcript.text.done"
    assert "".join(deltas) == events[-1].text
    record = simulated.record(id=call_id)
    assert record["streamed"]
    assert record["cost_nanousd"] > 0
    assert record["first_token_us"] is not None


def test_a_streamed_transcription_that_is_cut_raises(client: OpenAI):
    stream = client.audio.transcriptions.create(
        model="gpt-4o-mini-transcribe",
        file=("a.wav", RECORDING),
        stream=True,
        extra_headers={"x-simulator-fault": "cut;after=3"},
    )
    with pytest.raises(APIError):
        list(stream)


def test_a_form_that_fails_is_sent_again(client: OpenAI, simulated: RunningServer):
    for recording in (RECORDING, LARGE):
        raw = client.audio.transcriptions.with_raw_response.create(
            model="gpt-4o-transcribe",
            file=("a.wav", recording),
            language="en",
            extra_headers={"x-simulator-fault": "500 first"},
        )
        assert f"{len(recording)} bytes" in raw.parse().text
        assert raw.headers["x-headgate-attempts"] == "2"


@pytest.mark.filterwarnings("ignore:deprecated:DeprecationWarning")
def test_a_translation(client: OpenAI):
    made = client.audio.translations.create(model="whisper-1", file=("a.wav", RECORDING))
    assert made.text.startswith("In English")


def test_speech_comes_as_it_is_made(client: OpenAI, simulated: RunningServer):
    with client.audio.speech.with_streaming_response.create(
        model="gpt-4o-mini-tts", voice="alloy", input="Hello, world!" * 20, response_format="wav"
    ) as reply:
        call_id = reply.headers["x-headgate-call-id"]
        assert reply.headers["content-type"] == "audio/wav"
        sound = b"".join(reply.iter_bytes())
    with wave.open(io.BytesIO(sound)) as played:
        assert played.getnframes() > 24_000
    record = simulated.record(id=call_id)
    assert (record["endpoint"], record["cost_nanousd"]) == ("audio/speech", None)
    assert record["error_class"] is None


def test_speech_that_is_cut_never_looks_complete(client: OpenAI, simulated: RunningServer):
    with client.audio.speech.with_streaming_response.create(
        model="gpt-4o-mini-tts",
        voice="alloy",
        input="Hello, world!" * 20,
        response_format="wav",
        extra_headers={"x-simulator-fault": "cut;after=3"},
    ) as reply:
        call_id = reply.headers["x-headgate-call-id"]
        with pytest.raises(Exception, match=r"incomplete|peer closed|closed connection"):
            reply.read()
    assert simulated.record(id=call_id)["error_class"] == "upstream_cut"


def test_speech_as_events_has_its_price(client: OpenAI, simulated: RunningServer):
    raw = client.audio.speech.with_raw_response.create(
        model="gpt-4o-mini-tts", voice="alloy", input="Hello", stream_format="sse"
    )
    assert b"speech.audio.done" in raw.content
    record = simulated.record(id=raw.headers["x-headgate-call-id"])
    assert record["cost_nanousd"] == record["input_tokens"] * 600 + record["output_tokens"] * 12_000


def test_a_picture_and_its_price(client: OpenAI, simulated: RunningServer):
    raw = client.images.with_raw_response.generate(
        model="gpt-image-1.5", prompt="A red river", n=2, quality="low"
    )
    made = raw.parse()
    assert made.data
    assert len(made.data) == 2
    assert base64.b64decode(made.data[0].b64_json or "").startswith(b"\x89PNG")
    record = simulated.record(id=raw.headers["x-headgate-call-id"])
    assert record["output_tokens"] == 544
    assert record["cost_nanousd"] == record["input_tokens"] * 5_000 + 544 * 32_000


def test_a_streamed_picture(client: OpenAI, simulated: RunningServer):
    stream = client.images.generate(
        model="gpt-image-1.5", prompt="A red river", stream=True, partial_images=2
    )
    call_id = stream.response.headers["x-headgate-call-id"]
    kinds = [event.type for event in stream]
    assert kinds == ["image_generation.partial_image"] * 2 + ["image_generation.completed"]
    assert simulated.record(id=call_id)["cost_nanousd"] > 0


@pytest.mark.filterwarnings("ignore:deprecated:DeprecationWarning")
def test_pictures_of_pictures(client: OpenAI, simulated: RunningServer):
    raw = client.images.with_raw_response.edit(
        model="gpt-image-1.5",
        prompt="Make it blue",
        image=[("a.png", b"\x89PNG1"), ("b.png", b"\x89PNG2")],
        mask=("m.png", b"\x89PNG3"),
    )
    assert raw.parse().data
    record = simulated.record(id=raw.headers["x-headgate-call-id"])
    taken = record["input_tokens"]
    assert record["cost_nanousd"] == (taken - 646) * 5_000 + 646 * 8_000 + 272 * 32_000
    assert client.images.create_variation(model="dall-e-2", image=("a.png", b"\x89PNG")).data


def test_a_picture_as_svg_is_unpriced_and_its_second_model_must_be_allowed(
    client: OpenAI, simulated: RunningServer
):
    named: Any = {"model": "gpt-image-1.5", "prompt": "x", "output_format": "svg"}
    raw = client.images.with_raw_response.generate(**named, svg={"model": "gpt-5"})
    drawn = raw.parse()
    assert drawn.data
    assert base64.b64decode(drawn.data[0].b64_json or "").startswith(b"<svg")
    record = simulated.record(id=raw.headers["x-headgate-call-id"])
    assert record["output_tokens"] == 272
    assert record["cost_nanousd"] is None, "what the second model used is told by nobody"
    for models, svg, allowed in (
        (["gpt-image-1.5"], {"model": "gpt-5"}, False),
        (["gpt-image-1.5"], None, False),
        (["gpt-image-1.5", "gpt-5"], {"model": "gpt-5"}, True),
    ):
        key = simulated.new_key(models=models)
        more = {} if svg is None else {"svg": svg}
        with OpenAI(base_url=simulated.base_url, api_key=key, max_retries=0) as bound:
            if allowed:
                assert bound.images.generate(**named, **more).data
                assert bound.images.edit(image=("a.png", b"1"), **named, **more).data
                continue
            with pytest.raises(PermissionDeniedError):
                bound.images.generate(**named, **more)
            with pytest.raises(PermissionDeniedError):
                bound.images.edit(image=("a.png", b"1"), **named, **more)


def test_a_key_of_certain_models_is_held_to_them_in_forms_too(
    client: OpenAI, simulated: RunningServer
):
    key = simulated.new_key(models=["whisper-1"])
    with OpenAI(base_url=simulated.base_url, api_key=key, max_retries=0) as bound:
        assert bound.audio.transcriptions.create(model="whisper-1", file=("a.wav", RECORDING))
        with pytest.raises(PermissionDeniedError):
            bound.audio.transcriptions.create(model="gpt-4o-transcribe", file=("a.wav", RECORDING))
        with pytest.raises(PermissionDeniedError):
            bound.images.generate(model="gpt-image-1.5", prompt="x")


def test_a_form_names_its_model_once(simulated: RunningServer):
    def form(*models: str) -> bytes:
        fields = "".join(
            f'--x\r\nContent-Disposition: form-data; name="model"\r\n\r\n{model}\r\n'
            for model in models
        )
        file = '--x\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\nabc\r\n'
        return f"{file}{fields}--x--\r\n".encode()

    def sent(body: bytes):
        return simulated.request(
            "POST",
            "/v1/audio/transcriptions",
            body,
            headers={"content-type": "multipart/form-data; boundary=x"},
        )

    assert sent(form("whisper-1")).status == 200, "the model may stand behind the file"
    twice = sent(form("whisper-1", "gpt-4o-transcribe"))
    assert (twice.status, twice.error["param"]) == (400, "model")
    none = sent(form())
    assert (none.status, none.error["code"]) == (400, "missing_required_parameter")
    cut = sent(form("whisper-1")[:-8])
    assert (cut.status, cut.error["code"]) == (400, "invalid_form")


def test_a_route_leads_a_form_to_its_model(server_with: StartServer):
    server = server_with(
        settings="""
routes:
  ears: {targets: [{provider: openai, model: gpt-4o-mini-transcribe}]}
"""
    )
    key = server.new_key(models=["ears"])
    with OpenAI(base_url=server.base_url, api_key=key, max_retries=0) as client:
        raw = client.audio.transcriptions.with_raw_response.create(
            model="ears", file=("a.wav", RECORDING)
        )
        assert raw.parse().text
    record = server.record(id=raw.headers["x-headgate-call-id"])
    assert (record["route"], record["model_answered"]) == ("ears", "gpt-4o-mini-transcribe")


def test_a_response_is_made_short_and_its_input_counted(client: OpenAI, simulated: RunningServer):
    raw = client.responses.with_raw_response.compact(
        model="gpt-5.4", input="A long story about a river."
    )
    made = raw.parse()
    assert made.object == "response.compaction"
    record = simulated.record(id=raw.headers["x-headgate-call-id"])
    assert (record["endpoint"], record["input_tokens"]) == (
        "responses/compact",
        made.usage.input_tokens,
    )
    assert record["cost_nanousd"] > 0
    counted = client.responses.input_tokens.with_raw_response.count(
        model="gpt-5.4", input="A long story about a river."
    )
    assert counted.parse().input_tokens == made.usage.input_tokens
    record = simulated.record(id=counted.headers["x-headgate-call-id"])
    assert record["cost_nanousd"] == 0
