"""A tool that is one operation of an HTTP service."""

from __future__ import annotations

from typing import Any

import msgspec

from headgate.config.services import HttpServiceSettings
from headgate.context.service import ServiceClient, ServiceError
from headgate.workflows.tools.http_answer import answer_of_error, answer_of_reply
from headgate.workflows.tools.http_operation import ArgumentError, HttpOperation
from headgate.workflows.tools.tool import Sent, ToolAnswer, ToolCall, ToolSpec

_SET = "set"
"""What is shown in place of a header's value, which may be a secret."""


class HttpTool:
    """One operation; see `Tool`. Tools of one source share its client."""

    def __init__(
        self,
        service: HttpServiceSettings,
        client: ServiceClient,
        operation: HttpOperation,
        spec: ToolSpec,
    ) -> None:
        self._service = service
        self._client = client
        self._operation = operation
        self._spec = spec

    @property
    def known(self) -> ToolSpec | None:
        """As `spec`."""
        return self._spec

    async def spec(self) -> ToolSpec:
        """As the operator or the service's document wrote it."""
        return self._spec

    def sent(self, arguments: dict[str, Any], key: str) -> Sent:
        """The request; headers of the source by their names only."""
        base_url = self._service.base_url.rstrip("/")
        try:
            request = self._operation.request(arguments, key)
        except ArgumentError as error:
            summary = f"{self._operation.method} {base_url}{self._operation.path}"
            return Sent(summary, {"refused": str(error), "arguments": arguments})
        url = f"{base_url}{request.target}"
        headers = dict.fromkeys(self._service.headers, _SET) | request.headers
        details: dict[str, Any] = {"method": request.method, "url": url, "headers": headers}
        if request.body is not msgspec.UNSET:
            headers["Content-Type"] = self._operation.media_type
            details["body"] = request.body
        return Sent(f"{request.method} {base_url}{request.path}", details)

    async def call(self, arguments: dict[str, Any], call: ToolCall) -> ToolAnswer:
        """Send the request, once."""
        method = self._operation.method
        try:
            request = self._operation.request(arguments, call.key)
            reply = await self._client.send(
                method,
                request.path,
                query=request.query,
                headers=request.headers,
                body=request.content,
                media_type=self._operation.media_type,
                timeout_s=call.timeout_s,
            )
        except ServiceError as error:
            return answer_of_error(method, error)
        except (ArgumentError, ValueError) as error:
            # What can't be written as a request, of which the client's own error may quote some.
            said = str(error) if isinstance(error, ArgumentError) else "they make no HTTP request"
            return ToolAnswer(
                outcome="failed", content=f"Wrong arguments: {said}.", code="invalid_arguments"
            )
        return answer_of_reply(method, reply)

    async def close(self) -> None:
        """Close the source's connections."""
        await self._client.close()
