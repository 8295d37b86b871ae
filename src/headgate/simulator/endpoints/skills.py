"""/v1/skills: bundles of files with a SKILL.md, in versions that are numbered from 1."""

from __future__ import annotations

import io
import re
import time
import zipfile

from headgate.simulator.endpoints.identifier import new_id
from headgate.simulator.endpoints.object_store import Shape, StoredObject, no_such, page
from headgate.simulator.exchange import Exchange
from headgate.simulator.wire.api_error import ApiError, missing_parameter
from headgate.simulator.wire.form import Form, is_form, read_form
from headgate.simulator.wire.reply import JsonReply, Reply, json_reply

_FRONT_MATTER = re.compile(r"^(name|description):[ \t]*(.+)$", re.MULTILINE)


def create_skill(exchange: Exchange, _: str) -> Reply:
    """Make a skill of the files of a form."""
    bundle, told = _bundle(exchange)
    shape: Shape = {
        "id": new_id("skill_"),
        "object": "skill",
        "created_at": int(time.time()),
        "default_version": "1",
        "latest_version": "1",
        **told,
    }
    stored = exchange.memory.objects.add("skill", shape)
    _add_version(exchange, stored, bundle, told)
    return json_reply(shape)


def list_skills(exchange: Exchange, _: str) -> Reply:
    """The skills."""
    return page(exchange.request, exchange.memory.objects.all("skill"))


def get_skill(exchange: Exchange, skill_id: str) -> Reply:
    """A skill."""
    return json_reply(exchange.memory.objects.get("skill", skill_id).body)


def update_skill(exchange: Exchange, skill_id: str) -> Reply:
    """Choose a skill's default version."""
    default = exchange.request.json_object().get("default_version")
    if default is None:
        raise missing_parameter("default_version")
    stored = exchange.memory.objects.get("skill", skill_id)
    _version(stored, str(default))
    stored.body["default_version"] = str(default)
    return json_reply(stored.body)


def delete_skill(exchange: Exchange, skill_id: str) -> Reply:
    """Forget a skill."""
    exchange.memory.objects.remove("skill", skill_id)
    return json_reply({"id": skill_id, "object": "skill.deleted", "deleted": True})


def get_skill_content(exchange: Exchange, skill_id: str) -> Reply:
    """The files of a skill's default version."""
    stored = exchange.memory.objects.get("skill", skill_id)
    return _content(exchange, _version(stored, stored.body["default_version"]))


def create_version(exchange: Exchange, skill_id: str) -> Reply:
    """Add a version to a skill."""
    stored = exchange.memory.objects.get("skill", skill_id)
    bundle, told = _bundle(exchange)
    shape = _add_version(exchange, stored, bundle, told)
    stored.body["latest_version"] = shape["version"]
    if is_form(exchange.request) and read_form(exchange.request).text("default") == "true":
        stored.body["default_version"] = shape["version"]
    return json_reply(shape)


def list_versions(exchange: Exchange, skill_id: str) -> Reply:
    """A skill's versions."""
    stored = exchange.memory.objects.get("skill", skill_id)
    return page(exchange.request, stored.below["version"][::-1])


def get_version(exchange: Exchange, ids: str) -> Reply:
    """A skill's version."""
    skill_id, number = ids.split("/")
    return json_reply(_version(exchange.memory.objects.get("skill", skill_id), number))


def delete_version(exchange: Exchange, ids: str) -> Reply:
    """Forget a skill's version, unless it is the default one."""
    skill_id, number = ids.split("/")
    stored = exchange.memory.objects.get("skill", skill_id)
    version = _version(stored, number)
    if number == stored.body["default_version"]:
        raise ApiError(400, "The default version can't be deleted; choose another one first.")
    stored.below["version"].remove(version)
    exchange.memory.objects.remove("skill_version", version["id"])
    return json_reply(
        {
            "id": version["id"],
            "object": "skill.version.deleted",
            "deleted": True,
            "version": number,
        }
    )


def get_version_content(exchange: Exchange, ids: str) -> Reply:
    """The files of a skill's version."""
    skill_id, number = ids.split("/")
    return _content(exchange, _version(exchange.memory.objects.get("skill", skill_id), number))


def _bundle(exchange: Exchange) -> tuple[bytes, dict[str, str]]:
    """The files of a form as an archive, and what their SKILL.md says of them."""
    if not is_form(exchange.request):
        raise missing_parameter("files")
    form = read_form(exchange.request)
    archive = _archived(form)
    with zipfile.ZipFile(io.BytesIO(archive)) as files:
        manifest = next((n for n in files.namelist() if n.endswith("SKILL.md")), None)
        if manifest is None:
            raise ApiError(400, "The files hold no SKILL.md.", param="files")
        said = dict(_FRONT_MATTER.findall(files.read(manifest).decode("utf-8", "replace")))
    return archive, {name: said.get(name, "").strip() for name in ("name", "description")}


def _archived(form: Form) -> bytes:
    first = form.required_file("files")
    if first.name.endswith(".zip"):
        if not zipfile.is_zipfile(io.BytesIO(first.content)):
            raise ApiError(400, "The file is no zip archive.", param="files")
        return first.content
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as files:
        for file in form.files:
            files.writestr(file.name, file.content)
    return archive.getvalue()


def _add_version(
    exchange: Exchange, stored: StoredObject, bundle: bytes, told: dict[str, str]
) -> Shape:
    shape: Shape = {
        "id": new_id("skillver_"),
        "object": "skill.version",
        "created_at": int(time.time()),
        "skill_id": stored.body["id"],
        "version": str(int(stored.body["latest_version"]) + 1) if stored.below else "1",
        **told,
    }
    stored.below.setdefault("version", []).append(shape)
    exchange.memory.objects.add("skill_version", shape, bundle)
    return shape


def _version(stored: StoredObject, number: str) -> Shape:
    for version in stored.below["version"]:
        if number in (version["version"], version["id"]):
            return version
    raise no_such("skill_version", number)


def _content(exchange: Exchange, version: Shape) -> Reply:
    content = exchange.memory.objects.get("skill_version", version["id"]).content
    return JsonReply(body=content, headers=(("content-type", "application/zip"),))
