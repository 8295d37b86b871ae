"""Which systems stand side by side? One small class a system; to add another, write one more.

A system says whether it can run here, starts before a given upstream, and is called at its
address with its headers. It is named nowhere but in its own file and in the list below.
"""

from __future__ import annotations

from benchmarks.systems.direct import Direct
from benchmarks.systems.headgate import Headgate
from benchmarks.systems.litellm import LiteLLM
from benchmarks.systems.nginx import Nginx
from benchmarks.systems.system import Running, System
from benchmarks.systems.tensorzero import TensorZero

__all__ = ["ALL", "Direct", "Headgate", "LiteLLM", "Nginx", "Running", "System"]

ALL: tuple[System, ...] = (
    Direct(),
    Nginx(),
    LiteLLM(),
    TensorZero(),
    Headgate(),
    Headgate(everything=True),
)
"""In the order in which they are measured in each round; `direct` first, as the measure of all."""
