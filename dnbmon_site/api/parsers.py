"""Bodies of the API: JSON that is nested as no request of ours is gets the answer of any other that cannot be read."""

from __future__ import annotations

from typing import Any

from rest_framework.exceptions import ParseError
from rest_framework.parsers import JSONParser


class BoundedJSONParser(JSONParser):
    def parse(self, *arguments: Any, **named: Any) -> Any:
        try:
            return super().parse(*arguments, **named)
        except RecursionError as error:
            raise ParseError("The JSON is nested too deep.") from error
