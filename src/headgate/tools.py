"""What a workflow's `tools.py` may import of Headgate. It imports nothing itself.

from headgate.tools import ToolError
"""


class ToolError(Exception):
    """A tool certainly did nothing of what it was asked for; the text says why.

    The model is told the text, and so are people: no secrets. Any other exception means that
    nobody knows how far the tool had come.
    """
