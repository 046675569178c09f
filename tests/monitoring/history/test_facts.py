"""One fact, however it was reported: by UPDATE, by documents, by two registrations, in any order of reading."""

import itertools
import json
import random
from typing import Any

import pytest

from monitoring.elements.json_paths import comparable
from monitoring.history import facts
from monitoring.history import settle as settling
from monitoring.history.checkpoints import profile
from monitoring.history.facts import leaves_of
from monitoring.models import (
    Change,
    Delivery,
    Entry,
    Notification,
    Observation,
    Publication,
    Severity,
    Source,
    Verb,
)
from monitoring.pipeline.ingest import ingest
from monitoring.rebuild.rebuild import rebuild
from monitoring.story_order import OLDEST_FIRST
from portfolio.models import Company, Registration
from tests.builders.companies import DUNS
from tests.builders.deliveries import a_delivery
from tests.builders.elements import an_element
from tests.builders.notifications import a_notice, a_seed, an_update
from tests.builders.registrations import a_registration
from tests.builders.times import stamp

pytestmark = pytest.mark.django_db
NAME = "organization.primaryName"
Told = tuple[Registration, tuple[Any, ...]]


def updates() -> Registration:
    return a_registration("UPDATES")


def others() -> Registration:
    return a_registration("OTHERS")


def documents() -> Registration:
    return a_registration("DOCUMENTS", full_product=True)


def update(previous: Any, current: Any, path: str = NAME, delivered: float | None = None, **at: float) -> Any:
    element = an_element(path, previous, current, stamp(**at))
    return an_update(element, delivered=stamp(**at) if delivered is None else stamp(hours=delivered))


def seed(name: Any = None, *, hours: float, **members: Any) -> Any:
    named = {} if name is None else {"primaryName": name}
    return a_seed(**named, **members, delivered=stamp(hours=hours))


def live() -> list[tuple[str, Any, Any]]:
    """What holds of elements: by an UPDATE or as a difference, before, after."""
    rows = Change.objects.filter(kind="element", superseded=False).order_by(*OLDEST_FIRST)
    return [
        ("difference" if row.derived_from else "update", *(json.loads(text or "null") for text in values(row)))
        for row in rows
    ]


def values(row: Change) -> tuple[str | None, str | None]:
    return row.previous, row.current


def kinds() -> list[str]:
    rows = Change.objects.filter(superseded=False).exclude(kind="element").order_by(*OLDEST_FIRST)
    return list(rows.values_list("kind", flat=True))


def forget_everything() -> None:
    for model in (Observation, Publication, Change, Notification, Delivery, Company):
        model.objects.all().delete()


def in_every_order(*told: Told, source: str = Source.PULL, most: int = 6) -> list[tuple[str, Any, Any]]:
    """The story after the deliveries, which is the same in whatever order they are read."""
    orders = list(itertools.permutations(range(len(told))))
    chosen = orders if len(orders) <= most else random.Random(7).sample(orders, most)
    found = []
    for order in chosen:
        forget_everything()
        deliveries = [a_delivery(*items, registration=registration, source=source) for registration, items in told]
        for index in order:
            ingest(deliveries[index])
        found.append((live(), kinds(), profile(DUNS).document))
    assert all(one == found[0] for one in found), "the order of reading decides"
    assert_settled()
    return found[0][0]


def assert_settled() -> None:
    """Nothing is left to settle, every live change is published once as a change, and a rebuild changes nothing."""
    before = live()
    for row in Change.objects.filter(superseded=False):
        assert row.entry == Entry.CHANGE
    assert rebuild().removed == 0
    assert live() == before


# A difference and the UPDATE that explains it


def test_a_transition_by_update_and_by_documents_is_one() -> None:
    found = in_every_order(
        (updates(), (update("A", "B", hours=5),)),
        (documents(), (seed("A", hours=1),)),
        (documents(), (seed("B", hours=6),)),
    )
    assert found == [("update", "A", "B")]


def test_there_and_back_and_there_again_is_three() -> None:
    found = in_every_order(
        (updates(), (update("A", "B", hours=2), update("B", "A", hours=4), update("A", "B", hours=6))),
        (documents(), (seed("A", hours=1),)),
        (documents(), (seed("B", hours=3),)),
        (documents(), (seed("A", hours=5),)),
        (documents(), (seed("B", hours=7),)),
        most=20,
    )
    assert found == [("update", "A", "B"), ("update", "B", "A"), ("update", "A", "B")]


def test_what_updates_missed_is_told_by_documents() -> None:
    """An outage of the UPDATE registration after its first."""
    found = in_every_order(
        (updates(), (update("A", "B", hours=2),)),
        (documents(), (seed("A", hours=1), seed("B", hours=3))),
        (documents(), (seed("A", hours=5),)),
        (documents(), (seed("B", hours=7),)),
    )
    assert found == [("update", "A", "B"), ("difference", "B", "A"), ("difference", "A", "B")]


def test_a_source_reports_a_fact_once() -> None:
    """Documents went back without an UPDATE and came again: the one UPDATE explains only the first."""
    found = in_every_order(
        (updates(), (update("A", "B", hours=2),)),
        (documents(), (seed("A", hours=1), seed("B", hours=3), seed("C", hours=4), seed("B", hours=5))),
    )
    assert found == [("update", "A", "B"), ("difference", "B", "C"), ("difference", "C", "B")]


def test_what_the_first_document_shows_is_reported() -> None:
    found = in_every_order(
        (updates(), (update("A", "B", hours=2),)),
        (documents(), (seed("B", hours=3),)),
        (documents(), (seed("C", hours=4),)),
        (documents(), (seed("B", hours=5),)),
    )
    assert found == [("update", "A", "B"), ("difference", "B", "C"), ("difference", "C", "B")]


def test_a_lagging_document_is_explained_by_what_happened_before_it() -> None:
    found = in_every_order(
        (updates(), (update("A", "B", hours=-70),)),
        (documents(), (seed("A", hours=1),)),
        (documents(), (seed("B", hours=25),)),
    )
    assert found == [("update", "A", "B")]


def test_an_update_of_long_before_explains_nothing() -> None:
    found = in_every_order(
        (updates(), (update("A", "B", hours=-100),)),
        (documents(), (seed("A", hours=1),)),
        (documents(), (seed("B", hours=25),)),
    )
    assert found == [("update", "A", "B"), ("difference", "A", "B")]


def test_an_update_of_long_after_explains_nothing() -> None:
    found = in_every_order(
        (documents(), (seed("A", hours=1), seed("B", hours=2))),
        (updates(), (update("A", "B", hours=3),)),
    )
    assert found == [("difference", "A", "B"), ("update", "A", "B")]


ADDRESS = "organization.primaryAddress"


def test_a_container_needs_all_its_leaves() -> None:
    first, second = {"street": "S1", "town": "T1"}, {"street": "S2", "town": "T2"}
    whole = in_every_order(
        (updates(), (update(first, second, ADDRESS, hours=2),)),
        (documents(), (seed(hours=1, primaryAddress=first), seed(hours=3, primaryAddress=second))),
    )
    assert [how for how, *_ in whole] == ["update"]
    part = in_every_order(
        (updates(), (update("S1", "S2", f"{ADDRESS}.street", hours=2),)),
        (documents(), (seed(hours=1, primaryAddress=first), seed(hours=3, primaryAddress=second))),
    )
    assert sorted(part) == [("difference", "T1", "T2"), ("update", "S1", "S2")]


def test_leaves_explain_a_container() -> None:
    found = in_every_order(
        (
            updates(),
            (update(None, "S2", f"{ADDRESS}.street", hours=2), update(None, "T2", f"{ADDRESS}.town", hours=2)),
        ),
        (documents(), (seed("A", hours=1), seed("A", hours=3, primaryAddress={"street": "S2", "town": "T2"}))),
    )
    assert [how for how, *_ in found] == ["update", "update"]


def test_a_container_of_which_one_leaf_is_unexplained_stays() -> None:
    found = in_every_order(
        (updates(), (update(None, "S2", f"{ADDRESS}.street", hours=2),)),
        (documents(), (seed("A", hours=1), seed("A", hours=3, primaryAddress={"street": "S2", "town": "T2"}))),
    )
    assert [how for how, *_ in found] == ["update", "difference"]


PHONES = "organization.telephone"


def test_an_array_in_another_order_is_the_same() -> None:
    one, two = {"n": "1"}, {"n": "2"}
    found = in_every_order(
        (updates(), (update([], [one, two], PHONES, hours=2),)),
        (
            documents(),
            (seed(hours=1, telephone=[]), seed(hours=3, telephone=[two, one]), seed(hours=4, telephone=[one, two])),
        ),
    )
    assert found == [("update", [], [one, two])]


@pytest.mark.parametrize("empty", [[], {}, "", None])
def test_every_empty_value_is_absent(empty: Any) -> None:
    found = in_every_order(
        (updates(), (update(empty, [{"n": "1"}], PHONES, hours=2),)),
        (documents(), (seed("A", hours=1, industryCodes=[]), seed("A", hours=3, telephone=[{"n": "1"}]))),
    )
    assert [how for how, *_ in found] == ["update"]
    assert comparable(empty) == ""


def test_a_correction_at_the_same_stamp() -> None:
    """What was delivered last holds, though its call was made first."""
    found = in_every_order(
        (updates(), (update("A", "C", delivered=2.1, hours=2),)),
        (updates(), (update("A", "B", hours=2),)),
        (documents(), (seed("A", hours=1), seed("C", hours=3))),
    )
    assert found == [("update", "A", "B"), ("update", "A", "C")]


def test_a_difference_that_was_published_is_replaced_by_its_update() -> None:
    ingest(a_delivery(seed("A", hours=1), seed("B", hours=3), registration=documents()))
    second = a_delivery(update("A", "B", hours=2), registration=updates())
    ingest(second)
    difference, explained = (
        Change.objects.exclude(derived_from="").get(),
        Change.objects.get(derived_from="", kind="element"),
    )
    assert (difference.superseded, difference.replaced_by, difference.entry) == (True, explained.pk, Entry.CHANGE)
    assert [(row.verb, row.change_id) for row in Observation.objects.filter(delivery=second)] == [
        (Verb.REPLACED, difference.pk)
    ]
    publication = Publication.objects.get(delivery=second)
    assert (publication.change_count, publication.entry_count) == (1, 2)


def test_a_difference_that_comes_second_is_the_first_report_of_its_registration() -> None:
    ingest(a_delivery(update("A", "B", hours=2), registration=updates()))
    second = a_delivery(seed("A", hours=1), seed("B", hours=3), registration=documents())
    ingest(second)
    difference = Change.objects.exclude(derived_from="").get()
    assert (difference.superseded, difference.entry) == (True, Entry.OBSERVATION)
    assert Publication.objects.get(delivery=second).change_count == 2  # the two baselines


# Two sources


def test_differences_of_two_sources_are_one_within_four_days() -> None:
    second = a_registration("DOCUMENTS2", full_product=True)
    found = in_every_order(
        (documents(), (seed("A", hours=1), seed("B", hours=3))),
        (second, (seed("A", hours=2), seed("B", hours=90))),
    )
    assert found == [("difference", "A", "B")]
    late = in_every_order(
        (documents(), (seed("A", hours=1), seed("B", hours=3))),
        (second, (seed("A", hours=2), seed("B", hours=100))),
    )
    assert late == [("difference", "A", "B"), ("difference", "A", "B")]


def test_differences_with_another_between_them_are_two() -> None:
    second = a_registration("DOCUMENTS2", full_product=True)
    found = in_every_order(
        (documents(), (seed("A", hours=1), seed("B", hours=3), seed("A", hours=5))),
        (second, (seed("A", hours=2), seed("B", hours=7))),
    )
    assert found == [("difference", "A", "B"), ("difference", "B", "A"), ("difference", "A", "B")]


def test_one_source_that_says_the_same_twice_means_two() -> None:
    found = in_every_order(
        (updates(), (update("A", "B", hours=2),)),
        (updates(), (update("A", "B", hours=4),)),
    )
    assert found == [("update", "A", "B"), ("update", "A", "B")]


def test_updates_of_two_sources_with_two_stamps_are_one() -> None:
    found = in_every_order(
        (updates(), (update("A", "B", hours=2),)),
        (others(), (update("A", "B", hours=4),)),
    )
    assert found == [("update", "A", "B")]


def test_the_same_update_from_two_registrations_is_observed_twice() -> None:
    ingest(a_delivery(update("A", "B", hours=2), registration=updates()))
    second = a_delivery(update("A", "B", delivered=9, hours=2), registration=others())
    ingest(second)
    ingest(second)
    row = Observation.objects.get()
    assert (row.verb, row.is_first, row.registration, row.delivery) == (Verb.OBSERVED, True, others(), second)
    assert Publication.objects.get(delivery=second).entry_count == 1


def test_files_and_answers_of_one_registration_are_two_sources() -> None:
    ingest(a_delivery(seed("A", hours=1), seed("B", hours=3), registration=documents()))
    by_file = a_delivery(seed("A", hours=1.5), seed("B", hours=4), registration=documents(), source=Source.FILE)
    ingest(by_file)
    assert live() == [("difference", "A", "B")]
    assert Change.objects.exclude(derived_from="").count() == 2
    repeated = Change.objects.get(superseded=True)
    assert (repeated.delivery, repeated.replaced_by) == (by_file, Change.objects.get(element=NAME, superseded=False).pk)


# What happens to a company as a whole


def test_a_deletion_that_two_registrations_report_is_one() -> None:
    in_every_order(
        (updates(), (a_notice("DELETE", delivered=stamp(hours=1)),)),
        (others(), (a_notice("DELETE", delivered=stamp(hours=2)),)),
    )
    assert kinds() == ["deleted"]


def test_a_deletion_after_the_restoration_is_one_of_its_own() -> None:
    """A weekly registration reports it late: when unsure, both stay."""
    in_every_order(
        (updates(), (a_notice("DELETE", delivered=stamp(hours=1)), a_notice("UNDELETE", delivered=stamp(hours=5)))),
        (others(), (a_notice("DELETE", delivered=stamp(hours=9)),)),
    )
    assert kinds() == ["deleted", "restored", "deleted"]


def test_leaving_is_a_fact_of_a_registration() -> None:
    in_every_order(
        (updates(), (a_notice("EXIT", delivered=stamp(hours=1)),)),
        (others(), (a_notice("EXIT", delivered=stamp(hours=2)),)),
    )
    assert kinds() == ["left", "left"]


# A registration that gains a block


def test_a_member_that_is_known_for_the_first_time_did_not_happen() -> None:
    block = {"failureScore": {"nationalPercentile": 3}}
    ingest(a_delivery(seed("A", hours=1), seed("A", hours=2, dnbAssessment=block), registration=documents()))
    assert Change.objects.exclude(derived_from="").get().severity == Severity.NOISE


# The order within a moment


def test_a_chain_that_two_registrations_report_in_parts_is_a_chain() -> None:
    """R1 reports A → B and B → C, R2 only B → C and earlier: places alone would put that first."""
    found = in_every_order(
        (updates(), (update("A", "B", delivered=9, hours=2), update("B", "C", delivered=9, hours=2))),
        (others(), (update("B", "C", delivered=3, hours=2),)),
        (documents(), (seed("A", hours=1),)),
    )
    assert found == [("update", "A", "B"), ("update", "B", "C")]
    assert profile(DUNS).value(NAME) == "C"


def test_leaves_are_what_a_change_says_of_each_value() -> None:
    assert leaves_of("a", {"b": 1, "c": 2}, {"b": 1, "c": 3}) == {"a.b": "1E0", "a.c": "3E0"}
    assert leaves_of("a", {"b": 1, "c": 2}, {"b": 1}) == {"a.b": "1E0", "a.c": ""}


def test_who_settles_looks_again_until_nothing_is_left_to_write(monkeypatch: pytest.MonkeyPatch) -> None:
    """Another worker's UPDATE is inserted between the reading and the writing of the one who settles documents."""
    ingest(a_delivery(seed("A", hours=1), registration=documents()))
    other = [a_delivery(update("A", "B", hours=2), registration=updates())]
    judge = facts.judge

    def judge_while_another_inserts(*arguments: Any) -> Any:
        verdicts = judge(*arguments)
        if other:
            # It has settled what it saw, and the difference was live: both worked with what was there.
            ingest(other.pop())
        return verdicts

    monkeypatch.setattr(settling, "judge", judge_while_another_inserts)
    ingest(a_delivery(seed("B", hours=3), registration=documents()))
    assert (other, live()) == ([], [("update", "A", "B")])
