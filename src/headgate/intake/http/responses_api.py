"""`/v1/responses/{id}`: what a project was answered and its provider keeps."""

from __future__ import annotations

from headgate.gateway.stored_responses import ResponseArchive, Verb
from headgate.intake.http.endpoint import ApiReply, ApiRequest, Endpoint, Handler


def responses_endpoints(archive: ResponseArchive) -> tuple[Endpoint, ...]:
    """The endpoints; each shows a key only its own project's responses."""

    def asks(method: Verb, below: str = "") -> Handler:
        async def ask(request: ApiRequest) -> ApiReply:
            reply = await archive.ask(
                method,
                request.path["id"],
                request.caller,
                below=below,
                query=request.query_pairs,
            )
            if isinstance(reply.body, bytes):
                return ApiReply(status=reply.status, body=reply.body)
            return ApiReply(body=reply.body, media_type="text/event-stream")

        return ask

    return (
        _endpoint("GET", "/v1/responses/{id}", "Show a stored response", asks("GET")),
        _endpoint("DELETE", "/v1/responses/{id}", "Delete a stored response", asks("DELETE")),
        _endpoint(
            "POST",
            "/v1/responses/{id}/cancel",
            "Cancel a response that is under way",
            asks("POST", "/cancel"),
        ),
        _endpoint(
            "GET",
            "/v1/responses/{id}/input_items",
            "List what a stored response was asked",
            asks("GET", "/input_items"),
        ),
    )


def _endpoint(method: Verb, path: str, summary: str, handler: Handler) -> Endpoint:
    return Endpoint(
        method=method,
        path=path,
        permission="models.call",
        summary=summary,
        tag="openai",
        handler=handler,
    )
