"""Models and migrations agree on the engine under test."""

import pytest
from django.apps import apps
from django.conf import settings
from django.core.management import call_command
from django.db import models

from tests.support import PROGRAM

pytestmark = pytest.mark.every_engine

OURS = [config.label for config in apps.get_app_configs() if config.name.split(".")[0] in PROGRAM]


@pytest.mark.django_db
def test_nothing_is_left_to_make(capsys: pytest.CaptureFixture[str]) -> None:
    """On MongoDB too, where other people's apps have migrations of ours."""
    try:
        call_command("makemigrations", check=True, dry_run=True)
    except SystemExit:
        pytest.fail(capsys.readouterr().out)


@pytest.mark.parametrize("app", OURS)
def test_no_row_of_ours_is_numbered_by_the_database(app: str) -> None:
    numbered = [
        model.__name__
        for model in apps.get_app_config(app).get_models(include_auto_created=True)
        if isinstance(model._meta.pk, models.AutoField | models.BigAutoField)
        or "ObjectId" in type(model._meta.pk).__name__
    ]
    assert numbered == []


def test_other_peoples_apps_have_the_engines_kind_of_key() -> None:
    pk = apps.get_model("auth", "Permission")._meta.pk
    assert ("ObjectId" in type(pk).__name__) == settings.MONGODB
