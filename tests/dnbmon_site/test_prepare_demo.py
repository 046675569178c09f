"""The demo is prepared also where D&B refuses its first pull."""

import io
from typing import Any

import pytest
from django.core.management.base import CommandError

from dnbmon_site.management.commands import prepare_demo


def test_a_refused_pull_is_told_and_ends_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*arguments: Any, **options: Any) -> None:
        raise CommandError("the pull was refused")

    monkeypatch.setattr(prepare_demo, "call_command", refuse)
    told = io.StringIO()
    prepare_demo.Command(stderr=told).pull()
    assert "the pull was refused" in told.getvalue()
