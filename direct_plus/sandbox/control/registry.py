"""The register of control verbs: a function of this name, given the world and the wishes, does it."""

from collections.abc import Callable
from typing import Any

Verb = Callable[..., Any]
VERBS: dict[str, Verb] = {}


def verb(function: Verb) -> Verb:
    VERBS[function.__name__] = function
    return function
