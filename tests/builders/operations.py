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
