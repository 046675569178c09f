"""Reading what clients send without trusting it."""

import json
from typing import Any


def json_object(body: bytes) -> dict[str, Any]:
    """The JSON object of a body; empty where there is none."""
    try:
        value = json.loads(body)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}
