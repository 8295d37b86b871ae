"""`GET /v1/models` and `GET /v1/models/{model}`: what a key may ask for."""

from __future__ import annotations

from collections.abc import Callable

from headgate.gateway.models import ModelList
from headgate.intake.http.endpoint import ApiReply, ApiRequest, Endpoint


def models_endpoints(
    models: ModelList, workflows: Callable[[], tuple[str, ...]]
) -> tuple[Endpoint, ...]:
    """The endpoints; `workflows` tells the names of the loaded ones."""

    def runnable(request: ApiRequest) -> tuple[str, ...]:
        return tuple(name for name in workflows() if request.caller.may_run(name))

    async def list_models(request: ApiRequest) -> ApiReply:
        found = await models.all_for(request.caller, runnable(request))
        return ApiReply(body={"object": "list", "data": found})

    async def get_model(request: ApiRequest) -> ApiReply:
        name = request.path["model"]
        return ApiReply(body=await models.one_for(request.caller, name, runnable(request)))

    return (
        Endpoint(
            method="GET",
            path="/v1/models",
            permission="models.call",
            summary="List the models, routes and workflows that the key may ask for.",
            tag="openai",
            handler=list_models,
        ),
        Endpoint(
            method="GET",
            path="/v1/models/{model:path}",
            permission="models.call",
            summary="Show one model.",
            tag="openai",
            handler=get_model,
        ),
    )
