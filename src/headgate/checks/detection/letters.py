r"""The letters that names of people, streets and firms are written with, for use in brackets.

RE2's own `\p{Lu}` knows every script, at 600 instructions a use; names repeat it until an
expression takes a tenth of a second to compile. These are Latin, Greek and Cyrillic, for use
between brackets.
"""

from __future__ import annotations

from typing import Final

_EITHER: Final = r"\x{100}-\x{17f}\x{1e00}-\x{1eff}"
"""Extended Latin, where capitals and small letters take turns."""

UPPER: Final = (
    rf"A-Z\x{{c0}}-\x{{d6}}\x{{d8}}-\x{{de}}{_EITHER}\x{{391}}-\x{{3a9}}\x{{410}}-\x{{42f}}"
)
LOWER: Final = (
    rf"a-z\x{{df}}-\x{{f6}}\x{{f8}}-\x{{ff}}{_EITHER}\x{{3ac}}-\x{{3ce}}\x{{430}}-\x{{45f}}"
)
LETTER: Final = (
    r"A-Za-z\x{c0}-\x{d6}\x{d8}-\x{f6}\x{f8}-\x{17f}\x{1e00}-\x{1eff}\x{386}-\x{3ce}\x{400}-\x{45f}"
)
