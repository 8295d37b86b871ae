"""The endpoints of the OpenAI API that carry a call, one file each.

To add one: write a file with a subclass of `Endpoint` (and, where it streams, of `StreamReader`)
and list it here.
"""

from headgate.gateway.endpoints.chat import ChatCompletions
from headgate.gateway.endpoints.embeddings import Embeddings
from headgate.gateway.endpoints.endpoint import Endpoint, Fields, StreamReader, Usage
from headgate.gateway.endpoints.images import ImageEdits, ImageGenerations, ImageVariations
from headgate.gateway.endpoints.moderations import Moderations
from headgate.gateway.endpoints.response_helpers import Compaction, InputTokens
from headgate.gateway.endpoints.responses import Responses
from headgate.gateway.endpoints.speech import Speech
from headgate.gateway.endpoints.transcriptions import Transcriptions, Translations

ENDPOINTS: dict[str, Endpoint] = {
    endpoint.name: endpoint
    for endpoint in (
        ChatCompletions(),
        Responses(),
        Compaction(),
        InputTokens(),
        Embeddings(),
        Moderations(),
        Transcriptions(),
        Translations(),
        Speech(),
        ImageGenerations(),
        ImageEdits(),
        ImageVariations(),
    )
}
"""By the part of the path after `/v1/`."""

__all__ = ["ENDPOINTS", "Endpoint", "Fields", "StreamReader", "Usage"]
