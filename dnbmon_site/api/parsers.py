"""Request bodies of the API. JSON that is nested too deeply is answered like any other unreadable body."""

from __future__ import annotations

from typing import Any

from rest_framework.exceptions import ParseError
from rest_framework.parsers import JSONParser

# What DRF writes before the reason.
DRF_SAYS = "JSON parse error - "


class BoundedJSONParser(JSONParser):
    def parse(self, *arguments: Any, **named: Any) -> Any:
        try:
            return super().parse(*arguments, **named)
        except RecursionError as error:
            raise ParseError("The JSON is nested too deeply.") from error
        except ParseError as error:
            raise ParseError(f"The body is not valid JSON: {str(error.detail).removeprefix(DRF_SAYS)}") from error
