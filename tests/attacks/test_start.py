"""The stage itself: the program is up in production's settings, people come in."""

from tests.attacks.production import Production


def test_is_attacked_as_it_runs_in_production(production: Production) -> None:
    admin = production.person("start-admin", superuser=True)
    assert admin.ask("/").status_code == 200
    assert production.stranger().ask("/").status_code == 302
    assert production.inside("from django.conf import settings; print(settings.DEBUG)") == "False"
