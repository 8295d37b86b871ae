"""An OpenAI API that runs here, so that demos, tests and a user's own CI need no key.

It stands alone: it uses nothing of the rest of Headgate, and nothing of Headgate but the command
line knows it. Its answers are made by rules, not by a model: the same request gives the same text.
"""

from headgate.simulator.application import Simulator
from headgate.simulator.config import SimulatorConfig
from headgate.simulator.server import SimulatorHandle, run, serve_in_thread

__all__ = ["Simulator", "SimulatorConfig", "SimulatorHandle", "run", "serve_in_thread"]
