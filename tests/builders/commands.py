"""Commands of the program, run in this process."""

from collections.abc import Callable
from io import StringIO
from typing import Any

from django.core.management import call_command

Run = Callable[..., str]


def run_command(name: str, *arguments: Any, **options: Any) -> str:
    """What the command says."""
    out = StringIO()
    call_command(name, *arguments, stdout=out, **options)
    return out.getvalue()
