"""Pages, as people read them."""

import re
from html import unescape
from typing import Any


def text_of(answer: Any) -> str:
    """What a reader sees, in one line."""
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]*>", " ", answer.content.decode())))
