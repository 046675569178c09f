"""Operations of the API."""

from typing import Any

from django.urls import get_resolver

from dnbmon_site.api_urls import v1


def operations() -> list[str]:
    """Each method of each address, as the description has it."""
    assert get_resolver()
    found = []
    for pattern in v1:
        address = str(pattern.pattern).replace("<str:", "{").replace("<uuid:", "{").replace(">", "}")
        view: Any = pattern.callback.cls  # type: ignore[union-attr]
        found += [f"{name.upper()} {address}" for name in ("get", "post", "put", "delete") if hasattr(view, name)]
    return found


# A row of each kind that is not there, in the form of its key.
NOWHERE = {"duns": "000000001", "reference": "NONE", "id": "019b95d1-5000-7c55-9d0a-2a4f4b0c9a11"}


def addresses(method: str) -> list[str]:
    """Every address that takes the method."""
    found = (operation.partition(" ") for operation in operations())
    return [address for name, _, address in found if name == method]
