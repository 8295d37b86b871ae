"""Every endpoint of the composed server and every role: who is let in where.

The table is written out here, apart from the one that the server goes by, so that widening a role
by mistake fails a test, and so does an endpoint that nobody thought about.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from admin_server import ADMIN_KEY, Answer, call
from msgspec.structs import replace

import headgate.examples
from headgate.app.application import Application
from headgate.app.composition import build
from headgate.app.plan import read_plan
from headgate.app.preparation import prepare
from headgate.config.settings import LogSettings, RetrySettings
from headgate.intake.access.key import NewKey
from headgate.intake.access.keys import KeyStore
from headgate.intake.access.secret import load_secret
from headgate.storage import Database

ROLES = ("admin", "operator", "developer", "reviewer", "auditor", "app")

OF_PROJECTS = """\
POST /v1/responses/compact
POST /v1/responses/input_tokens
POST /v1/audio/transcriptions
POST /v1/audio/translations
POST /v1/audio/speech
POST /v1/images/generations
POST /v1/images/edits
POST /v1/images/variations
POST /v1/files
GET /v1/files
GET /v1/files/{file}
DELETE /v1/files/{file}
GET /v1/files/{file}/content
POST /v1/uploads
POST /v1/uploads/{upload}/parts
POST /v1/uploads/{upload}/complete
POST /v1/uploads/{upload}/cancel
POST /v1/batches
GET /v1/batches
GET /v1/batches/{batch}
POST /v1/batches/{batch}/cancel
POST /v1/conversations
GET /v1/conversations/{conversation}
POST /v1/conversations/{conversation}
DELETE /v1/conversations/{conversation}
GET /v1/conversations/{conversation}/items
POST /v1/conversations/{conversation}/items
GET /v1/conversations/{conversation}/items/{item}
DELETE /v1/conversations/{conversation}/items/{item}
POST /v1/vector_stores
GET /v1/vector_stores
GET /v1/vector_stores/{vector_store}
POST /v1/vector_stores/{vector_store}
DELETE /v1/vector_stores/{vector_store}
POST /v1/vector_stores/{vector_store}/search
POST /v1/vector_stores/{vector_store}/files
GET /v1/vector_stores/{vector_store}/files
GET /v1/vector_stores/{vector_store}/files/{member}
POST /v1/vector_stores/{vector_store}/files/{member}
DELETE /v1/vector_stores/{vector_store}/files/{member}
GET /v1/vector_stores/{vector_store}/files/{member}/content
POST /v1/vector_stores/{vector_store}/file_batches
GET /v1/vector_stores/{vector_store}/file_batches/{member}
POST /v1/vector_stores/{vector_store}/file_batches/{member}/cancel
GET /v1/vector_stores/{vector_store}/file_batches/{member}/files
POST /v1/fine_tuning/jobs
GET /v1/fine_tuning/jobs
GET /v1/fine_tuning/jobs/{fine_tuning_job}
POST /v1/fine_tuning/jobs/{fine_tuning_job}/cancel
POST /v1/fine_tuning/jobs/{fine_tuning_job}/pause
POST /v1/fine_tuning/jobs/{fine_tuning_job}/resume
GET /v1/fine_tuning/jobs/{fine_tuning_job}/events
GET /v1/fine_tuning/jobs/{fine_tuning_job}/checkpoints
POST /v1/fine_tuning/alpha/graders/run
POST /v1/fine_tuning/alpha/graders/validate
POST /v1/containers
GET /v1/containers
GET /v1/containers/{container}
DELETE /v1/containers/{container}
POST /v1/containers/{container}/files
GET /v1/containers/{container}/files
GET /v1/containers/{container}/files/{member}
DELETE /v1/containers/{container}/files/{member}
GET /v1/containers/{container}/files/{member}/content
POST /v1/evals
GET /v1/evals
GET /v1/evals/{eval}
POST /v1/evals/{eval}
DELETE /v1/evals/{eval}
POST /v1/evals/{eval}/runs
GET /v1/evals/{eval}/runs
GET /v1/evals/{eval}/runs/{run}
POST /v1/evals/{eval}/runs/{run}
POST /v1/evals/{eval}/runs/{run}/cancel
DELETE /v1/evals/{eval}/runs/{run}
GET /v1/evals/{eval}/runs/{run}/output_items
GET /v1/evals/{eval}/runs/{run}/output_items/{item}
GET /v1/chat/completions
GET /v1/chat/completions/{chat_completion}
POST /v1/chat/completions/{chat_completion}
DELETE /v1/chat/completions/{chat_completion}
GET /v1/chat/completions/{chat_completion}/messages
DELETE /v1/models/{model:path}
POST /v1/videos
GET /v1/videos
POST /v1/videos/characters
GET /v1/videos/characters/{video_character}
POST /v1/videos/edits
POST /v1/videos/extensions
GET /v1/videos/{video}
DELETE /v1/videos/{video}
GET /v1/videos/{video}/content
POST /v1/videos/{video}/remix
POST /v1/skills
GET /v1/skills
GET /v1/skills/{skill}
POST /v1/skills/{skill}
DELETE /v1/skills/{skill}
GET /v1/skills/{skill}/content
POST /v1/skills/{skill}/versions
GET /v1/skills/{skill}/versions
GET /v1/skills/{skill}/versions/{member}
DELETE /v1/skills/{skill}/versions/{member}
GET /v1/skills/{skill}/versions/{member}/content
POST /v1/realtime/client_secrets
""".splitlines()

ALLOWED: dict[tuple[str, str], str | None] = {
    ("POST", "/v1/chat/completions"): "admin developer app",
    ("POST", "/v1/responses"): "admin developer app",
    ("GET", "/v1/responses/{id}"): "admin developer app",
    ("DELETE", "/v1/responses/{id}"): "admin developer app",
    ("POST", "/v1/responses/{id}/cancel"): "admin developer app",
    ("GET", "/v1/responses/{id}/input_items"): "admin developer app",
    ("GET", "/v1/realtime"): "admin developer app",
    ("POST", "/v1/embeddings"): "admin developer app",
    ("POST", "/v1/moderations"): "admin developer app",
    ("GET", "/v1/models"): "admin developer app",
    ("GET", "/v1/models/{model:path}"): "admin developer app",
    **{(line.split()[0], line.split()[1]): "admin developer app" for line in OF_PROJECTS},
    ("GET", "/api/workflows"): "admin operator developer reviewer auditor app",
    ("GET", "/api/workflows/{name}"): "admin operator developer reviewer auditor app",
    ("POST", "/api/workflows/{name}/runs"): "admin developer app",
    ("GET", "/api/runs"): "admin operator developer reviewer auditor app",
    ("GET", "/api/runs/{id}"): "admin operator developer reviewer auditor app",
    ("GET", "/api/runs/{id}/events"): "admin operator developer reviewer auditor app",
    ("POST", "/api/runs/{id}/cancel"): "admin operator developer app",
    ("GET", "/api/actions"): "admin operator developer reviewer auditor app",
    ("GET", "/api/reviews"): "admin operator developer reviewer auditor",
    ("GET", "/api/reviews/{id}"): "admin operator developer reviewer auditor",
    ("GET", "/api/reviews/signals"): "admin operator developer reviewer auditor",
    ("POST", "/api/reviews/{id}/check"): "admin operator developer reviewer",
    ("POST", "/api/reviews/{id}/case"): "admin operator developer reviewer",
    ("POST", "/api/reviews/{id}/claim"): "admin operator developer reviewer",
    ("POST", "/api/reviews/{id}/release"): "admin operator developer reviewer",
    ("POST", "/api/reviews/{id}/decision"): "admin operator developer reviewer",
    ("GET", "/api/keys"): "admin operator developer auditor",
    ("POST", "/api/keys"): "admin operator developer",
    ("GET", "/api/keys/{id}"): "admin operator developer auditor",
    ("DELETE", "/api/keys/{id}"): "admin operator developer",
    ("POST", "/api/keys/{id}/revoke"): "admin operator developer",
    ("POST", "/api/keys/{id}/rotate"): "admin operator developer",
    ("GET", "/api/projects"): "admin operator developer auditor",
    ("POST", "/api/projects"): "admin operator",
    ("GET", "/api/projects/{name}"): "admin operator developer auditor",
    ("POST", "/api/projects/{name}/archive"): "admin operator",
    ("GET", "/api/usage"): "admin operator developer auditor",
    ("GET", "/api/calls/{id}"): "admin operator developer auditor",
    ("GET", "/api/allowances"): "admin operator developer auditor",
    ("GET", "/api/cache"): "admin operator developer auditor",
    ("GET", "/api/cache/near-misses"): "admin operator developer auditor",
    ("DELETE", "/api/cache"): "admin operator developer",
    ("GET", "/api/config"): "admin operator auditor",
    ("GET", "/metrics"): "admin operator auditor",
    ("GET", "/healthz"): None,
    ("GET", "/readyz"): None,
    ("GET", "/openapi.json"): None,
}


class Server:
    """The composed server, with a key of each role in one project."""

    def __init__(self, url: str) -> None:
        plan = read_plan(
            Path(headgate.examples.__file__).parent / "project",
            {
                "OPENAI_API_KEY": "sk-nobody",
                # Nothing listens there: what is let in must not get far.
                "OPENAI_BASE_URL": "http://127.0.0.1:1/v1",
                "HEADGATE_DATABASE_URL": url,
            },
        )
        settings = replace(
            plan.settings, logs=LogSettings(calls="none"), retries=RetrySettings(max_attempts=1)
        )
        plan = replace(plan, settings=settings)
        prepare(plan, ADMIN_KEY)
        database = Database(url)
        keys = KeyStore(database, load_secret(database, None))
        made = {
            role: keys.create(NewKey(project="default", name=role, role=role), created_by="test")
            for role in ROLES
        }
        self.keys = {role: created.plaintext for role, created in made.items()}
        dead = keys.create(NewKey(project="default", name="dead", role="admin"), created_by="test")
        keys.revoke(dead.key.id)
        self.dead_key = dead.plaintext
        database.close()
        self.application: Application = build(plan)
        self.endpoints = [(e.method, e.path) for e in self.application._admin.endpoints]

    async def knock(self, method: str, path: str, key: str | None) -> Answer:
        # What is named does not exist, so whoever is let in changes nothing.
        path = re.sub(r"\{[^}]+\}", "none", path)
        return await call(
            self.application, method, path, key=key, json={} if method == "POST" else None
        )


@pytest_asyncio.fixture
async def server(sqlite_url: str) -> AsyncIterator[Server]:
    server = Server(sqlite_url)
    await server.application.start()
    yield server
    await server.application.stop()


async def test_the_table_names_every_endpoint(server):
    assert set(server.endpoints) == set(ALLOWED)
    assert len(server.endpoints) == len(ALLOWED)


@pytest.mark.parametrize("role", ROLES)
async def test_a_role_is_let_in_where_the_table_says_and_nowhere_else(server, role):
    for method, path in server.endpoints:
        answer = await server.knock(method, path, server.keys[role])
        allowed = ALLOWED[method, path]
        if allowed is None or role in allowed.split():
            assert answer.status not in (401, 403), (method, path)
        else:
            assert answer.status == 403, (method, path)
            assert answer.error["code"] == "role_not_allowed"
            assert answer.error["type"] == "permission_error"


async def test_without_a_live_key_only_what_is_open_answers(server):
    for key in (None, "hg_wrong", "sk-nobody", server.dead_key):
        for method, path in server.endpoints:
            answer = await server.knock(method, path, key)
            if ALLOWED[method, path] is None:
                assert answer.status in (200, 503), (method, path)
            else:
                assert answer.status == 401, (method, path)
                assert answer.error["type"] == "authentication_error"
                assert answer.headers["www-authenticate"].startswith("Bearer")
                assert answer.headers["x-request-id"]


async def test_no_answer_holds_the_providers_key(server):
    for method, path in server.endpoints:
        answer = await server.knock(method, path, ADMIN_KEY)
        assert b"sk-nobody" not in answer.body, (method, path)
        assert "sk-nobody" not in str(answer.headers)
