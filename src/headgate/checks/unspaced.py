"""The scripts that put no space between words, or none before what is added to one.

Beside their letters a word may end anywhere. What looks for words in outputs and what looks for
them in texts of all kinds know it from here.
"""

from __future__ import annotations

from typing import Final

UNSPACED: Final = (
    "\u0e00-\u0eff\u1000-\u109f\u1100-\u11ff\u1780-\u17ff\u3040-\u318f\u31f0-\u31ff"
    "\u3400-\u9fff\uac00-\ud7af\uf900-\ufaff"
)
"""Their letters, for use between brackets."""
