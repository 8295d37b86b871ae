"""Is a text the address of an HTTP server? Whatever the configuration names is asked this way."""

from __future__ import annotations

from urllib.parse import urlsplit

OPENAI_HOST = "api.openai.com"
_ENDPOINTS = ("/chat/completions", "/completions", "/responses", "/embeddings", "/models")


def is_http_address(text: str) -> bool:
    """Whether it has a scheme, a host and, if any, a port that there can be."""
    if " " in text or not text.isprintable():
        return False
    try:
        address = urlsplit(text)
        return address.scheme in ("http", "https") and bool(address.hostname) and address.port != 0
    except ValueError:  # such as a bracket that nothing closes, or port 99999
        return False


def address_problem(base_url: str) -> str | None:
    """What keeps a text from being an address below which requests go; None: nothing."""
    if not is_http_address(base_url):
        return "write an http:// or https:// address"
    address = urlsplit(base_url)
    if address.query or address.fragment or address.username is not None:
        return "leave out user, query and fragment"
    return None


def provider_address_problem(base_url: str) -> str | None:
    """As `address_problem`, of a provider's, to which `/chat/completions` and so on are added."""
    if (problem := address_problem(base_url)) is not None:
        return problem
    address = urlsplit(base_url)
    host, path = address.hostname or "", address.path.rstrip("/")
    if path.endswith(_ENDPOINTS):
        return "is one endpoint's address; end it before that, most often with /v1"
    if (host == OPENAI_HOST or host.endswith(f".{OPENAI_HOST}")) and path != "/v1":
        return f"OpenAI's addresses end with /v1; write {address.scheme}://{address.netloc}/v1"
    return None
