"""The endpoints of the OpenAI API that carry a call, one file each.

To add one: write a file with a subclass of `Endpoint` (and, where it streams, of `StreamReader`)
and list it here.
"""

from headgate.gateway.endpoints.chat import ChatCompletions
from headgate.gateway.endpoints.embeddings import Embeddings
from headgate.gateway.endpoints.endpoint import Endpoint, Fields, StreamReader, Usage
from headgate.gateway.endpoints.moderations import Moderations
from headgate.gateway.endpoints.responses import Responses

ENDPOINTS: dict[str, Endpoint] = {
    endpoint.name: endpoint
    for endpoint in (ChatCompletions(), Responses(), Embeddings(), Moderations())
}
"""By the part of the path after `/v1/`."""

__all__ = ["ENDPOINTS", "Endpoint", "Fields", "StreamReader", "Usage"]
