"""Lists of words that rules look for, one word a line, apart from the rules that do.

`given_names`: common where our languages are spoken, and seldom anything else; names that are also
words of a language (Will, Mark, Rose, Hope) are left out. They carry what the words around a name
do not.
`family_names_zh`: the most common family names of China, one character each, in one line.
`no_names`: what a sentence or a greeting may begin with where no name stands.
`places`: countries and large cities, as our languages write them.
"""

from __future__ import annotations

import functools
from importlib import resources


@functools.cache
def word_list(name: str) -> tuple[str, ...]:
    """The words of the list `name`."""
    text = resources.files(__name__).joinpath(f"{name}.txt").read_text("utf-8")
    return tuple(text.split("\n")[:-1])
