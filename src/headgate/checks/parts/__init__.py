"""Where text stands in what is asked of a model and in what it answers: the one place that knows.

Guards see parts, never JSON. Every string is a part unless `exempt` says why it needs none, so what
a provider adds to its API tomorrow is seen today.
"""

from headgate.checks.parts.part import Kind, Part, Role
from headgate.checks.parts.walker import reply_parts, request_parts

__all__ = ["Kind", "Part", "Role", "reply_parts", "request_parts"]
