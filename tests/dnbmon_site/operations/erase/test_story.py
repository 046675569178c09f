"""Erasing a registration leaves others what they reported too, and gives back what it had replaced."""

import pytest

from core.models import Blob
from dnbmon_site.operations.erase import registration as erase
from dnbmon_site.operations.erase import story
from dnbmon_site.operations.erase.company import forget
from monitoring.models import Alert, AlertItem, Change, Delivery, Entry, Notification, Observation, Publication
from monitoring.publications.sequence import counts_of
from monitoring.rebuild.rebuild import rebuild
from portfolio.models import Company, Registration, RegistrationState
from tests.builders.alerts import raised
from tests.builders.companies import DUNS, OTHER
from tests.builders.deliveries import delivered
from tests.builders.elements import an_element
from tests.builders.notifications import a_seed, an_update
from tests.builders.registrations import a_registration
from tests.builders.rules import a_rule
from tests.builders.story import PHONE, observations, phone_seed, phone_update
from tests.builders.times import stamp

pytestmark = pytest.mark.django_db


def erased(reference: str) -> None:
    Registration.objects.filter(reference=reference).update(state=RegistrationState.PAUSED)
    erase.forget(Registration.objects.get(reference=reference), by="ann")


def counts_hold() -> bool:
    """Each publication counts what is in it."""
    names = ("change_count", "entry_count")
    return all(
        getattr(row, name) == counts_of(row.delivery_id)[name] for row in Publication.objects.all() for name in names
    )


def test_a_fact_goes_to_the_next_that_reported_it_when_the_answers_are_gone() -> None:
    phone_update(None, "1", 1, "ONE")
    second = phone_update(None, "1", 1, "TWO")
    phone_update(None, "1", 1, "THREE")
    Blob.objects.all().delete()
    erased("ONE")
    change = Change.objects.get()
    assert (change.registration.reference, change.delivery_id) == ("TWO", second.pk)
    assert change.notification == Notification.objects.get(delivery=second)
    assert observations() == [("THREE", "observed", True)]
    assert counts_hold()


def test_a_fact_that_was_replaced_is_handed_over_with_what_became_of_it() -> None:
    """It stands in the item of the one that it goes to, and those who read that one's feed read its entries."""
    first = an_element(PHONE, None, "1", stamp(days=2))
    phone_update(None, "1", 2, "ONE")
    other = an_update(an_element("organization.websiteAddress", None, "x", stamp(days=2)), delivered=stamp(days=2))
    second = delivered(other, an_update(first, delivered=stamp(days=2)), registration=a_registration("TWO"))
    phone_update(None, "1", 1, "THREE")
    change = Change.objects.get(element=PHONE, registration__reference="ONE")
    assert [row.verb for row in Observation.objects.filter(change=change).exclude(verb="observed")] == ["replaced"]
    erased("ONE")
    change.refresh_from_db()
    assert (change.delivery_id, change.position, change.superseded) == (second.pk, 1000, True)
    assert [(row.verb, row.registration.reference) for row in Observation.objects.all()] == [("replaced", "TWO")]
    assert counts_hold()


def test_a_rebuild_after_a_fact_was_handed_over_changes_nothing() -> None:
    for reference in ("ONE", "TWO", "THREE"):
        phone_update(None, "1", 1, reference)
    erased("ONE")
    before = list(Change.objects.values()), list(Observation.objects.values())
    result = rebuild()
    assert (result.added, result.mended, result.removed) == (0, 0, 0)
    assert (list(Change.objects.values()), list(Observation.objects.values())) == before


def test_two_changes_that_only_the_erased_one_kept_apart_are_one_fact() -> None:
    """A source reports a fact once: what it reported twice was two, and is one by the two that are left."""
    for day, other in ((1, "TWO"), (2, "THREE")):
        phone_update(None, "1", day, "ONE")
        phone_update(None, "1", day, other)
    assert not Change.objects.filter(superseded=True).exists()
    erased("ONE")
    first, second = Change.objects.order_by("changed_at")
    assert (first.superseded, second.superseded, second.replaced_by) == (False, True, first.pk)
    assert [row.verb for row in Observation.objects.all()] == ["replaced"] and counts_hold()


def test_erasing_one_that_only_repeated_removes_its_reports_alone() -> None:
    """Also where the change stood by its report, which D&B delivered earlier."""
    phone_update(None, "1", 1, "ONE")
    before = Change.objects.values().get()
    element = an_element(PHONE, None, "1", stamp(days=1))
    delivered(an_update(element, delivered=stamp(days=0.9)), registration=a_registration("TWO"))
    assert Change.objects.get().place < before["place"]
    erased("TWO")
    assert Change.objects.values().get() == before | {"audience": None}
    assert not Observation.objects.exists() and counts_hold()


def test_a_difference_holds_again_when_the_update_that_replaced_it_is_erased() -> None:
    a_rule(elements=PHONE, conditions="")
    for day, value in ((0, None), (4, "1")):
        phone_seed(value, day)
    phone_update(None, "1", 3)
    raised()
    difference = Change.objects.exclude(derived_from="").get()
    assert difference.superseded and difference.replaced_by == Change.objects.get(kind="element", derived_from="").pk
    published = Publication.objects.count()
    erased("ONE")
    assert Change.objects.values_list("superseded", "replaced_by", "entry").get(pk=difference.pk) == (False, None, 0)
    assert [row.verb for row in Observation.objects.all()] == ["reinstated"], "it was published before, and replaced"
    assert Publication.objects.count() == published and counts_hold()


def test_a_difference_that_was_never_published_takes_over_where_it_stands() -> None:
    """Nobody is notified again of what the erased registration has reported before."""
    a_rule(elements=PHONE, conditions="")
    phone_seed(None, 0)
    phone_update(None, "1", 3)
    late = phone_seed("1", 4)
    raised()
    gone = Change.objects.get(kind="element", derived_from="")
    AlertItem.objects.filter(change=gone.pk).update(alert=Alert.objects.get())
    Alert.objects.update(registration=late.registration)
    assert Change.objects.exclude(derived_from="").get().entry == Entry.OBSERVATION
    erased("ONE")
    difference = Change.objects.get(kind="element")
    assert (difference.superseded, difference.entry, difference.delivery_id) == (False, Entry.CHANGE, late.pk)
    assert list(AlertItem.objects.values_list("change", flat=True)) == [difference.pk]
    assert not Observation.objects.exists() and counts_hold()
    raised()
    assert Alert.objects.count() == 1


def test_an_update_of_another_takes_over_from_one_with_another_stamp() -> None:
    phone_update(None, "1", 1, "ONE")
    phone_update(None, "1", 2, "TWO")
    second = Change.objects.get(registration__reference="TWO")
    assert second.replaced_by
    erased("ONE")
    assert Change.objects.values_list("superseded", "replaced_by").get(pk=second.pk) == (False, None)
    assert counts_hold()


def test_a_change_that_holds_by_an_erased_registrations_answer_goes_back_to_its_own() -> None:
    phone_update(None, "1", 1, "ONE")
    own = phone_update(None, "2", 2, "TWO")
    change = Change.objects.get(registration__reference="TWO")
    Change.objects.filter(pk=change.pk).update(delivery=Delivery.objects.get(registration__reference="ONE"))
    Publication.objects.filter(delivery=own).update(**counts_of(own.pk))
    erased("ONE")
    change.refresh_from_db()
    assert change.delivery_id == own.pk and counts_hold()


def test_erasing_goes_on_where_it_was_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    phone_seed(None, 0)
    phone_update(None, "1", 3)
    phone_seed("1", 4)
    with monkeypatch.context() as patched:
        patched.setattr(story, "find_orphans", lambda: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            erased("ONE")
    assert Change.objects.exclude(derived_from="").get().superseded
    erased("ONE")
    assert not Change.objects.exclude(derived_from="").get().superseded


def test_who_begins_again_after_a_kill_knows_what_was_touched(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its rows are gone by then, and the company still shows what they said."""
    delivered(a_seed(primaryName="Acme Ltd", delivered=stamp(days=1)), registration=a_registration("TWO"))
    renamed = an_update(an_element("organization.primaryName", "Acme Ltd", "New Ltd", stamp(days=2)))
    delivered(renamed, registration=a_registration("ONE"))
    with monkeypatch.context() as patched:
        patched.setattr(erase, "settle_what_is_left", lambda left: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            erased("ONE")
    assert not Change.objects.filter(registration__reference="ONE").exists()
    assert Company.objects.get().name == "New Ltd"
    erased("ONE")
    assert Company.objects.get().name == "Acme Ltd"


def test_a_forgotten_company_leaves_no_report() -> None:
    for duns in (DUNS, OTHER):
        phone_update(None, "1", 1, "ONE", duns)
        phone_update(None, "1", 1, "TWO", duns)
    # Published with a delivery that brought nothing else of it.
    apart = phone_update(None, "1", 5, "TWO", OTHER)
    Observation.objects.filter(company=DUNS).update(delivery=apart)
    for row in Publication.objects.all():
        Publication.objects.filter(pk=row.pk).update(**counts_of(row.delivery_id))
    forget(DUNS, by="ann", now=True)
    assert not Company.objects.filter(pk=DUNS).exists()
    assert Observation.objects.get().company_id == OTHER and counts_hold()
