"""Links and images in a model's answer, limited to hosts that the operator allows."""

from headgate.checks.injection.links.destination import (
    AllowedLinks,
    DestinationKind,
    Refusal,
    refusal,
)
from headgate.checks.injection.links.limiter import LinkLimiter, Removed, limited

__all__ = [
    "AllowedLinks",
    "DestinationKind",
    "LinkLimiter",
    "Refusal",
    "Removed",
    "limited",
    "refusal",
]
