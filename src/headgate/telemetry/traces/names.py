"""The names of facts on spans: OpenTelemetry's for generative AI, and our own for the rest.

Our own constants, since the package that holds OpenTelemetry's has deprecated its `gen_ai` ones and
renames them as the convention, which is still in development, moves.
"""

from __future__ import annotations

OPERATION = "gen_ai.operation.name"
PROVIDER = "gen_ai.provider.name"
REQUEST_MODEL = "gen_ai.request.model"
REQUEST_STREAM = "gen_ai.request.stream"
RESPONSE_ID = "gen_ai.response.id"
RESPONSE_MODEL = "gen_ai.response.model"
FIRST_CHUNK_S = "gen_ai.response.time_to_first_chunk"
INPUT_TOKENS = "gen_ai.usage.input_tokens"
OUTPUT_TOKENS = "gen_ai.usage.output_tokens"
CACHED_TOKENS = "gen_ai.usage.cache_read.input_tokens"
CACHE_WRITE_TOKENS = "gen_ai.usage.cache_creation.input_tokens"
REASONING_TOKENS = "gen_ai.usage.reasoning.output_tokens"
WORKFLOW_NAME = "gen_ai.workflow.name"
ERROR = "error.type"
HTTP_STATUS = "http.response.status_code"

CHAT = "chat"
EMBEDDINGS = "embeddings"
WORKFLOW = "invoke_workflow"

_OPERATIONS = {
    "chat/completions": CHAT,
    "responses": CHAT,
    "completions": "text_completion",
    "embeddings": EMBEDDINGS,
}


def operation_of(endpoint: str) -> str:
    """What a call to `endpoint` is called; the endpoint's own name where there is no other."""
    return _OPERATIONS.get(endpoint, endpoint)
