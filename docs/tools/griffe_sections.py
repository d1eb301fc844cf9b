"""Let mkdocstrings show this project's docstrings: a paragraph for each section."""

import re
from typing import Any

from griffe import Extension, Object

_SECTION = re.compile(r"^(Input|Output|Errors|Source): *", re.MULTILINE)


class Sections(Extension):
    """Put `**Input:**` and its like at the beginning of a paragraph."""

    def on_object(self, *, obj: Object, **kwargs: Any) -> None:
        """Rewrite the docstring of every module, class, function and attribute that has one."""
        if obj.docstring:
            obj.docstring.value = sections(obj.docstring.value)


def sections(text: str) -> str:
    """Return `text` with a paragraph for each section, lists as Markdown and examples as code."""
    text = re.sub(r"^Example:$", "Examples:", text, flags=re.MULTILINE)
    text = _SECTION.sub(r"\n**\1:** ", text)
    return re.sub(r"^    (\w+): ", r"\n- `\1`: ", text, flags=re.MULTILINE)
