"""Azure's addresses: the deployment's, in one piece, whatever a model is called."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headgate.config.settings import ProviderSettings
from headgate.gateway.dialects import Dialect, dialect_for
from headgate.gateway.endpoints import ENDPOINTS
from headgate.gateway.request import Request, read_request


def dialect(base_url: str = "https://name.openai.azure.com", **more: object) -> Dialect:
    settings = ProviderSettings(kind="azure", base_url=base_url, **more)  # type: ignore[arg-type]
    return dialect_for(settings)


def request(name: str = "chat/completions") -> Request:
    return read_request(ENDPOINTS[name], b'{"model":"m","input":"x","messages":[]}')


@given(st.text(min_size=1, max_size=20))
def test_no_models_name_leaves_its_place(model: str):
    if not model.isprintable():
        return
    outgoing = dialect().outgoing(request(), model)
    start, end = b"/openai/deployments/", b"/chat/completions?api-version=2024-10-21"
    assert outgoing.target.startswith(start)
    assert outgoing.target.endswith(end)
    inside = outgoing.target[len(start) : -len(end)]
    assert not set(inside) & set(b"/?# \r\n")
    assert json.loads(outgoing.body)["model"] == model


@pytest.mark.parametrize(
    "base_url",
    [
        "https://name.openai.azure.com",
        "https://name.openai.azure.com/",
        "https://name.openai.azure.com/openai",
        "https://name.openai.azure.com/openai/v1/",
    ],
)
def test_an_address_copied_from_an_sdk_means_the_resource(base_url: str):
    spoken = dialect(base_url)
    assert spoken.outgoing(request("responses"), "d").target == b"/openai/v1/responses"
    assert spoken.path(b"/responses/r") == b"/openai/v1/responses/r"
    assert spoken.models_path() == b"/openai/v1/models"


def test_deployments_and_plain_names_are_listed_once():
    spoken = dialect(deployments={"gpt-4.1": "ours"}, models=("gpt-4.1", "o3", "gpt-*"))
    assert [model["id"] for model in spoken.models(b'{"data":[]}')] == ["gpt-4.1", "o3"]


def test_a_realtime_session_names_its_deployment_unless_it_only_writes_down():
    spoken = dialect(deployments={"gpt-realtime": "our voice"})
    path = b"/openai/v1/realtime?"
    assert spoken.realtime_path("gpt-realtime", b"") == path + b"model=our%20voice"
    writing = b"intent=transcription"
    assert spoken.realtime_path("gpt-realtime", writing) == path + writing
    plain = dialect_for(ProviderSettings(base_url="https://here.example/v1"))
    assert plain.realtime_path("gpt-realtime", b"") == b"/v1/realtime?model=gpt-realtime"
    assert plain.realtime_path("gpt-realtime", writing) == b"/v1/realtime?intent=transcription"
