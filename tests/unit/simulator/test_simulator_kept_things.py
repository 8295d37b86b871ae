"""Stored chats, videos, skills and fine-tuned models of the simulator: published shapes, and bad
input refused as OpenAI refuses it."""

from __future__ import annotations

from typing import Any

import openai
import pytest
from openai.types import (
    DeletedSkill,
    Model,
    ModelDeleted,
    Skill,
    Video,
    VideoCreateCharacterResponse,
    VideoDeleteResponse,
)
from openai.types.chat import ChatCompletion, ChatCompletionDeleted, ChatCompletionStoreMessage
from openai.types.responses import Response
from openai.types.skills import DeletedSkillVersion, SkillVersion
from plain_http import ask
from test_simulator_objects import a_file, shown
from test_simulator_specification import complaints

from headgate.simulator import SimulatorHandle

MANIFEST: Any = ("a/SKILL.md", b"---\nname: a\ndescription: b\n---\n")
VIDEOS = pytest.mark.filterwarnings("ignore:.*Sora.*:DeprecationWarning")


def test_stored_chats(client: openai.OpenAI):
    chats = client.chat.completions
    kept = chats.create(
        model="gpt-4.1-mini", messages=[{"role": "user", "content": "Hi"}], store=True
    )
    shown(ChatCompletion, chats.with_raw_response.retrieve(kept.id))
    shown(ChatCompletion, chats.with_raw_response.update(kept.id, metadata={"a": "b"}))
    messages = shown(Any, chats.messages.with_raw_response.list(kept.id))["data"]
    roles = [complaints(ChatCompletionStoreMessage, message) for message in messages]
    # The published type knows what a model says only; what it was asked comes back here too.
    assert roles == [["$.role: 'user' is none of typing.Literal['assistant']"]]
    assert [one.id for one in chats.list(metadata={"a": "b"})] == [kept.id]
    shown(ChatCompletionDeleted, chats.with_raw_response.delete(kept.id))
    with pytest.raises(openai.NotFoundError):
        chats.retrieve(kept.id)
    unkept = chats.create(model="gpt-4.1-mini", messages=[{"role": "user", "content": "Hi"}])
    with pytest.raises(openai.NotFoundError):
        chats.retrieve(unkept.id)


@VIDEOS
def test_videos(client: openai.OpenAI):
    videos = client.videos
    made = shown(Video, videos.with_raw_response.create(prompt="A river"))
    assert (made["status"], made["model"], made["seconds"]) == ("queued", "sora-2", "4")
    with pytest.raises(openai.NotFoundError):
        videos.download_content(made["id"])
    assert shown(Video, videos.with_raw_response.retrieve(made["id"]))["progress"] == 100
    picture = videos.download_content(made["id"], variant="thumbnail")
    assert picture.response.headers["content-type"] == "image/webp"
    shown(Video, videos.with_raw_response.remix(made["id"], prompt="At night"))
    character = videos.with_raw_response.create_character(name="Otter", video=("o.mp4", b"film"))
    shown(VideoCreateCharacterResponse, character)
    shown(VideoDeleteResponse, videos.with_raw_response.delete(made["id"]))


@VIDEOS
@pytest.mark.parametrize(
    ("more", "param"), [({"model": "x"}, "model"), ({"seconds": "5"}, "seconds")]
)
def test_a_video_that_can_not_be_is_refused(client: openai.OpenAI, more: Any, param: str):
    with pytest.raises(openai.BadRequestError) as refused:
        client.videos.create(prompt="A river", **more)
    assert refused.value.param == param


def test_skills(client: openai.OpenAI):
    skills = client.skills
    made = shown(Skill, skills.with_raw_response.create(files=[MANIFEST]))
    version = skills.versions.with_raw_response.create(made["id"], files=[MANIFEST])
    assert shown(SkillVersion, version)["version"] == "2"
    updated = skills.with_raw_response.update(made["id"], default_version="2")
    assert shown(Skill, updated)["default_version"] == "2"
    with pytest.raises(openai.BadRequestError):
        skills.versions.delete("2", skill_id=made["id"])
    deleted = skills.versions.with_raw_response.delete("1", skill_id=made["id"])
    shown(DeletedSkillVersion, deleted)
    shown(DeletedSkill, skills.with_raw_response.delete(made["id"]))
    with pytest.raises(openai.BadRequestError) as refused:
        skills.create(files=[("a/b.py", b"")])
    assert refused.value.param == "files"
    with pytest.raises(openai.BadRequestError):
        skills.create(files=("a.zip", b"no archive"))


def test_fine_tuned_models(client: openai.OpenAI):
    file = a_file(client, b"{}\n", "fine-tune")
    job = client.fine_tuning.jobs.create(model="gpt-4.1-mini", training_file=file["id"])
    name = client.fine_tuning.jobs.retrieve(job.id).fine_tuned_model
    assert name
    shown(Model, client.models.with_raw_response.retrieve(name))
    assert name in [model.id for model in client.models.list()]
    shown(ModelDeleted, client.models.with_raw_response.delete(name))
    with pytest.raises(openai.NotFoundError):
        client.models.delete(name)
    with pytest.raises(openai.PermissionDeniedError):
        client.models.delete("gpt-4.1-mini")


def test_a_stored_prompt_and_pictures_choose_their_model(client: openai.OpenAI):
    raw = client.responses.with_raw_response.create(prompt={"id": "pmpt_1"})
    assert shown(Response, raw)["model"].startswith("gpt-4.1-mini")
    assert client.images.generate(prompt="A river").data
    for body in ({"input": "x"}, {"prompt": {"version": "1"}}):
        with pytest.raises(openai.BadRequestError):
            client.responses.create(**body)  # type: ignore[call-overload]


def test_a_list_of_nothing_is_refused(simulator: SimulatorHandle):
    for path in ("/files", "/batches", "/chat/completions"):
        refused = ask(f"{simulator.base_url}{path}?limit=0")
        assert (refused.status, refused.json()["error"]["param"]) == (400, "limit")
