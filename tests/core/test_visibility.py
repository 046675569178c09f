import pytest

from core.models import AuditEntry, Notice
from core.visibility import EVERYTHING, NOTHING, Scope, is_restricted, scope_of, visible_to
from dnbmon_site.accounts.models import ApiKey, User
from tests.builders.people import a_person
from tests.builders.registrations import one, two
from tests.builders.units import a_unit

pytestmark = pytest.mark.django_db


def test_without_units_everyone_sees_everything() -> None:
    assert scope_of(a_person()) == EVERYTHING
    assert scope_of(ApiKey.issue(name="ERP")[0]) == EVERYTHING


def test_of_a_model_without_a_rule_only_who_sees_all_sees_any() -> None:
    assert visible_to(EVERYTHING, AuditEntry.objects.all()).query.is_empty() is False
    for model in (AuditEntry, Notice):
        assert visible_to(Scope(sees_all=False, units=frozenset(["a"])), model.objects.all()).query.is_empty()


def test_who_is_nobody_sees_nothing() -> None:
    assert scope_of(None) == NOTHING


def test_once_there_is_a_unit_who_is_in_none_sees_nothing() -> None:
    bob, (key, _) = a_person(), ApiKey.issue(name="ERP")
    a_unit("Credit", one())
    newcomer, (other, _) = a_person(username="eve"), ApiKey.issue(name="CRM")
    for actor in (bob, key, newcomer, other):
        actor.refresh_from_db()
        assert is_restricted(actor) and not scope_of(actor).registrations


def test_a_superuser_sees_all_all_the_same() -> None:
    a_unit("Credit", one())
    assert not is_restricted(User.objects.create_superuser("ann"))


def test_somebody_of_several_units_sees_what_each_sees() -> None:
    bob = a_person()
    a_unit("Credit", one(), people=[bob])
    a_unit("Buying", two(), people=[bob])
    bob.refresh_from_db()
    assert scope_of(bob).registrations == {one().pk, two().pk}
    assert scope_of(bob).units == {"credit", "buying"}


def test_the_scope_is_read_once_for_a_request(django_assert_num_queries: object) -> None:
    bob = a_person()
    a_unit("Credit", one(), people=[bob])
    bob.refresh_from_db()
    scope_of(bob)
    with django_assert_num_queries(0):  # type: ignore[operator]
        scope_of(bob)
