"""How the first person comes in."""

import json

import pytest

from core.api.scopes import SCOPES
from dnbmon_site.accounts.models import ApiKey, User
from tests.builders.commands import Run

pytestmark = pytest.mark.django_db


def test_makes_a_person_and_a_key_that_work(run: Run) -> None:
    access = json.loads(run("first_access", as_json=True))
    user = User.objects.get(username=access["user"])
    assert user.is_superuser and user.check_password(access["password"])
    key = ApiKey.authenticate(access["api_key"])
    assert key and key.unknown_scopes == [] and all(key.allows(scope) for scope in SCOPES)


def test_later_it_makes_nothing_and_says_how_to_come_in(run: Run) -> None:
    run("first_access")
    before = User.objects.get().password
    said = run("first_access")
    assert "manage.py changepassword admin" in said and "API keys" in said
    assert User.objects.get().password == before
    assert ApiKey.objects.count() == 1


def test_again_makes_new_ones_and_the_old_key_is_over(run: Run) -> None:
    first = json.loads(run("first_access", as_json=True))
    second = json.loads(run("first_access", "--again", as_json=True))
    assert User.objects.get().check_password(second["password"])
    assert ApiKey.authenticate(first["api_key"]) is None
    assert ApiKey.authenticate(second["api_key"])


def test_other_people_and_their_names_stay(run: Run) -> None:
    User.objects.create_user("admin", password="mine")
    access = json.loads(run("first_access", as_json=True))
    assert access["user"] != "admin"
    assert User.objects.get(username="admin").check_password("mine")
