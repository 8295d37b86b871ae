"""Videos and skills of the official Python SDK: carried, unpriced, and each project's own."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from typing import Any

import pytest
from openai import BadRequestError, NotFoundError, OpenAI, PermissionDeniedError
from openai.types import Video

from servers import RunningServer

MANIFEST = b"---\nname: sums\ndescription: Adds numbers.\n---\nAdd them.\n"
FILES: Any = [("sums/SKILL.md", MANIFEST), ("sums/add.py", b"print(1 + 1)\n")]


def refused(ask: Callable[..., Any], *arguments: Any, **named: Any) -> None:
    with pytest.raises(NotFoundError) as error:
        ask(*arguments, **named)
    assert error.value.code == "object_not_found"


@pytest.mark.filterwarnings("ignore:.*Sora.*:DeprecationWarning")
def test_a_video_is_its_projects(client: OpenAI, others: OpenAI, simulated: RunningServer):
    raw = client.videos.with_raw_response.create(prompt="A river", model="sora-2", seconds="4")
    video = raw.parse()
    record = simulated.record(id=raw.headers["x-headgate-call-id"])
    assert (record["endpoint"], record["cost_nanousd"]) == ("videos", None), "not priced, not free"
    refused(others.videos.retrieve, video.id)
    refused(others.videos.download_content, video.id)
    refused(others.videos.remix, video.id, prompt="Mine now")
    refused(others.videos.delete, video.id)
    # This SDK takes a film here only, and can't send the reference that its types allow.
    of_video = {"prompt": "Bluer", "video": {"id": video.id}, "seconds": "8"}
    for below in ("edits", "extensions"):
        with pytest.raises(BadRequestError) as named:
            others.post(f"/videos/{below}", body=of_video, cast_to=Video)
        assert (named.value.code, named.value.param) == ("object_not_found", "video")
    assert client.videos.retrieve(video.id).status == "completed"
    assert client.videos.download_content(video.id).read().startswith(b"video")
    others_video = client.videos.remix(video.id, prompt="At night")
    assert others_video.remixed_from_video_id == video.id
    for below in ("edits", "extensions"):
        made = client.post(f"/videos/{below}", body=of_video, cast_to=Video)
        assert client.videos.retrieve(made.id).prompt == "Bluer"
    assert client.videos.edit(prompt="Redder", video=("a.mp4", b"film")).prompt == "Redder"
    assert video.id in [one.id for one in client.videos.list()]
    assert list(others.videos.list()) == []
    assert client.videos.delete(video.id).deleted
    refused(client.videos.retrieve, video.id)


@pytest.mark.filterwarnings("ignore:.*Sora.*:DeprecationWarning")
def test_what_a_video_is_made_of_must_be_the_projects(client: OpenAI, others: OpenAI):
    picture = client.files.create(file=("a.png", b"png"), purpose="vision").id
    named = {"prompt": "A river", "input_reference": {"file_id": picture}}
    assert client.post("/videos", body=named, cast_to=Video).id
    assert client.videos.create(prompt="A river", input_reference=("a.png", b"png")).id
    with pytest.raises(BadRequestError) as error:
        others.post("/videos", body=named, cast_to=Video)
    assert (error.value.code, error.value.param) == ("object_not_found", "file_id")
    character = client.videos.create_character(name="Otter", video=("o.mp4", b"film"))
    assert character.id
    assert client.videos.get_character(character.id).name == "Otter"
    refused(others.videos.get_character, character.id)


@pytest.mark.filterwarnings("ignore:.*Sora.*:DeprecationWarning")
def test_a_key_of_certain_models_makes_videos_with_those_only(simulated: RunningServer):
    key = simulated.new_key(models=["sora-2"])
    with OpenAI(base_url=simulated.base_url, api_key=key, max_retries=0) as bound:
        assert bound.videos.create(prompt="A river", model="sora-2").id
        made = len(list(bound.videos.list()))
        for model in ({"model": "sora-2-pro"}, {}):
            with pytest.raises(PermissionDeniedError) as error:
                bound.videos.create(prompt="A river", **model)  # type: ignore[arg-type]
            assert error.value.code == "model_not_allowed"
        assert len(list(bound.videos.list())) == made


def test_a_skill_and_its_versions_are_its_projects(client: OpenAI, others: OpenAI):
    skill = client.skills.create(files=FILES)
    assert (skill.name, skill.description) == ("sums", "Adds numbers.")
    refused(others.skills.retrieve, skill.id)
    refused(others.skills.update, skill.id, default_version="1")
    refused(others.skills.content.retrieve, skill.id)
    refused(others.skills.versions.create, skill.id, files=FILES)
    refused(others.skills.versions.list, skill.id)
    refused(others.skills.delete, skill.id)
    second = client.skills.versions.create(skill.id, files=FILES, default=True)
    assert client.skills.retrieve(skill.id).default_version == second.version == "2"
    assert client.skills.update(skill.id, default_version="1").latest_version == "2"
    archive = io.BytesIO(client.skills.content.retrieve(skill.id).read())
    assert zipfile.ZipFile(archive).read("sums/SKILL.md") == MANIFEST
    read = client.skills.versions.content.retrieve("2", skill_id=skill.id).read()
    assert zipfile.is_zipfile(io.BytesIO(read))
    assert [v.version for v in client.skills.versions.list(skill.id)] == ["2", "1"]
    assert client.skills.versions.retrieve("2", skill_id=skill.id).skill_id == skill.id
    assert client.skills.versions.delete("2", skill_id=skill.id).deleted
    assert skill.id in [one.id for one in client.skills.list()]
    assert list(others.skills.list()) == []
    assert client.skills.delete(skill.id).deleted


def test_a_call_may_use_the_projects_own_skills_and_the_providers(client: OpenAI, others: OpenAI):
    skill = client.skills.create(files=FILES)

    def tools(skill_id: str) -> Any:
        reference = {"type": "skill_reference", "skill_id": skill_id}
        environment = {"type": "container_auto", "skills": [reference]}
        return [{"type": "shell", "environment": environment}]

    asked: Any = {"model": "gpt-5-mini", "input": "Add 1 and 1."}
    assert client.responses.create(**asked, tools=tools(skill.id)).output_text
    assert others.responses.create(**asked, tools=tools("openai-spreadsheets")).output_text
    with pytest.raises(BadRequestError) as error:
        others.responses.create(**asked, tools=tools(skill.id))
    assert (error.value.code, error.value.param) == ("object_not_found", "skill_id")
