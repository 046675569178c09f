"""Who else reported a change, and where it stands: at the least of the places of all who did, whoever is read first."""

import uuid
from dataclasses import astuple
from datetime import timedelta
from itertools import permutations
from typing import Any

import pytest

from monitoring import observations
from monitoring.history.checkpoints import profile
from monitoring.history.sources import reports_of
from monitoring.ingest import insert
from monitoring.models import Change, Delivery, Notification, Observation, Publication, Source
from monitoring.pipeline.ingest import ingest
from monitoring.story_order import FIRST_STEP, OLDEST_FIRST, source_at, source_of, step_of, way_at
from portfolio.models import Company, Registration
from tests.builders.companies import DUNS
from tests.builders.deliveries import a_delivery
from tests.builders.elements import an_element
from tests.builders.notifications import a_seed, an_update
from tests.builders.registrations import a_registration
from tests.builders.times import MOMENT, stamp

pytestmark = pytest.mark.django_db
NAME = "organization.primaryName"


def update(*steps: str, delivered: float, hours: float = 1) -> dict[str, Any]:
    """Of one moment: "AB" is a change from A to B."""
    return an_update(
        *(an_element(NAME, step[0], step[1], stamp(hours=hours)) for step in steps), delivered=stamp(hours=delivered)
    )


def forget_everything() -> None:
    for model in (Observation, Publication, Change, Notification, Delivery, Company):
        model.objects.all().delete()


def story() -> list[str]:
    rows = Change.objects.filter(kind="element").order_by(*OLDEST_FIRST)
    return [f"{row.previous}{row.current}".replace('"', "") for row in rows]


def stored(registration: Registration, item: Any, source: Source = Source.PULL, stands_for: int = 0) -> Delivery:
    delivery = a_delivery(item, registration=registration, source=source)
    if stands_for:
        Delivery.objects.filter(pk=delivery.pk).update(stands_for=stands_for)
        delivery.refresh_from_db()
    return delivery


def live() -> list[uuid.UUID]:
    return list(Change.objects.filter(superseded=False).order_by("pk").values_list("pk", flat=True))


def sources() -> list[tuple[uuid.UUID, list[Any]]]:
    """Of each change that holds, who reported it, how and when."""
    changes = Change.objects.filter(superseded=False).order_by("pk")
    return [(key, [one[:4] for one in map(astuple, reports)]) for key, reports in reports_of(changes).items()]


def in_every_order(*told: Any) -> list[str]:
    """The changes in their order, which is the same in whatever order the deliveries are read."""
    found = []
    for order in permutations(range(len(told))):
        forget_everything()
        deliveries = [stored(*one) for one in told]
        for index in order:
            ingest(deliveries[index])
        found.append((story(), live(), sources(), profile(DUNS).document, Company.objects.get().name))
    assert all(one == found[0] for one in found)
    return found[0][0]


def test_a_change_stands_at_the_least_place_of_all_who_report_it() -> None:
    """X → Y stands between: before it by TWO's report, and after it by ONE's."""
    found = in_every_order(
        (a_registration("ONE"), update("AB", delivered=9)),
        (a_registration("TWO"), update("AB", delivered=3)),
        (a_registration("THREE"), update("XY", delivered=6)),
    )
    assert found == ["AB", "XY"]


def test_a_change_stands_at_the_least_place_of_several_notifications_of_one_registration() -> None:
    """It reports A → B in an UPDATE alone, and in another one together with B → C."""
    found = in_every_order(
        (a_registration("ONE"), update("AB", delivered=9)),
        (a_registration("ONE"), update("AB", "MN", delivered=3)),
        (a_registration("THREE"), update("XY", delivered=6)),
    )
    assert found == ["AB", "MN", "XY"]


def test_another_registration_that_reports_twice_counts_with_its_least_place() -> None:
    found = in_every_order(
        (a_registration("ONE"), update("AB", delivered=20)),
        (a_registration("TWO"), update("AB", delivered=9)),
        (a_registration("TWO"), update("AB", "MN", delivered=3)),
        (a_registration("THREE"), update("XY", delivered=6)),
    )
    assert found == ["AB", "MN", "XY"]


def test_changes_that_are_placed_again_keep_their_steps() -> None:
    """B → C stands first in the answer. A place that an earlier version wrote has no step."""
    told = update("ZA", delivered=1, hours=0), update("BC", "AB", delivered=3)
    ingest(a_delivery(*told, registration=a_registration("ONE")))
    keys = list(Change.objects.filter(kind="element").order_by(*OLDEST_FIRST).values_list("pk", flat=True))
    assert observations.keep_places(keys) == 0 and story() == ["ZA", "AB", "BC"]
    Change.objects.filter(pk=keys[1]).update(place="")
    assert observations.keep_places(keys) == 1 and story() == ["ZA", "AB", "BC"]
    assert step_of(Change.objects.get(pk=keys[1]).place) == FIRST_STEP


def test_of_two_notifications_of_one_answer_the_first_reports() -> None:
    ingest(a_delivery(update("AB", delivered=9), registration=a_registration("ONE")))
    two = a_registration("TWO")
    ingest(a_delivery(update("AB", delivered=3), update("AB", "MN", delivered=5), registration=two))
    report = Observation.objects.get()
    assert (report.observed_at, report.notification) == (
        MOMENT + timedelta(hours=3),
        Notification.objects.filter(registration=two).earliest("delivered_at"),
    )
    ingest(a_delivery(update("AB", "OP", delivered=2), registration=two))
    report.refresh_from_db()
    assert report.observed_at == MOMENT + timedelta(hours=2)
    assert report.notification == Notification.objects.filter(registration=two).earliest("delivered_at")


def test_a_change_is_handed_over_to_the_first_of_the_others_with_its_place_and_position() -> None:
    """And only that change, with what became of it."""
    for reference, delivered, source in (
        *(("ONE", 1, Source.PULL), ("FOUR", 9, Source.PULL), ("TWO", 7, Source.PULL)),
        *(("TWO", 8, Source.FILE), ("THREE", 3, Source.PULL)),
    ):
        items = update("UV", delivered=delivered), update("KL", "AB", delivered=delivered)
        own = items[1:] if reference == "ONE" else items
        ingest(a_delivery(*own, registration=a_registration(reference), source=source))
    change, other = Change.objects.get(current='"B"'), Change.objects.get(current='"L"')
    became = {"company_id": DUNS, "registration": change.registration, "observed_at": MOMENT, "recorded_at": MOMENT}
    for row in (change, other):
        Observation.objects.create(id=uuid.uuid4(), change=row, verb="withdrawn", delivery=change.delivery, **became)
    two = a_registration("TWO")
    files = Observation.objects.filter(change=change, registration=two, verb="observed")
    Observation.objects.filter(registration=a_registration("FOUR")).update(recorded_at=MOMENT + timedelta(days=999999))
    assert observations.hand_over([change.pk], leaving=change.registration_id).keys() == {change.pk}
    change.refresh_from_db()
    assert (change.registration, source_at(change.place)) == (two, source_of(two.pk, "0"))
    at = MOMENT + timedelta(hours=7)
    assert change.notification == Notification.objects.get(registration=two, position=1, delivered_at=at)
    assert (change.position, change.delivered_at) == (1001, at)
    assert files.count() == 1 and reporters(change) == {("TWO", False), ("THREE", True), ("FOUR", True)}
    assert reporters(other) == {("TWO", True), ("TWO", False), ("THREE", True), ("FOUR", True)}
    verbs = Observation.objects.filter(verb="withdrawn").values_list("change", "registration__reference")
    assert set(verbs) == {(change.pk, "TWO"), (other.pk, "ONE")}
    observations.hand_over([change.pk])
    change.refresh_from_db()
    assert change.registration.reference == "THREE"


def reporters(change: Change) -> set[tuple[str, bool]]:
    rows = Observation.objects.filter(change=change, verb="observed")
    return set(rows.values_list("registration__reference", "is_first"))


def test_a_source_in_whose_name_a_change_stands_leaves_no_first_report_of_its_registration() -> None:
    for reference, source in (("ONE", Source.PULL), ("TWO", Source.FILE), ("TWO", Source.PULL)):
        items = update("AB", delivered=3), update("KL", delivered=3)
        ingest(a_delivery(*items, registration=a_registration(reference), source=source))
    change, two = Change.objects.get(current='"B"'), a_registration("TWO")
    observations.now_first(change.pk, two.pk, source_of(two.pk, "0"))
    assert reporters(change) == {("TWO", False)}
    assert reporters(Change.objects.get(current='"L"')) == {("TWO", True), ("TWO", False)}


def test_a_difference_of_documents_that_files_and_answers_show_is_reported_by_none_besides() -> None:
    whole = a_registration("WHOLE", full_product=True)
    documents = [a_seed(primaryName=name, delivered=stamp(hours=hours)) for name, hours in (("A", 1), ("B", 2))]
    for source in (Source.FILE, Source.PULL):
        ingest(a_delivery(*documents, registration=whole, source=source))
    assert Change.objects.filter(kind="element").count() == 1
    assert not Observation.objects.filter(change__kind="element").exists()


def test_a_notification_that_another_answer_shows_earlier_takes_its_reports_along() -> None:
    """A replay made TWO's report known, and the answer itself comes late."""
    answer = a_delivery(update("AB", delivered=3), registration=a_registration("TWO"))
    ingest(a_delivery(update("AB", delivered=9), registration=a_registration("ONE")))
    ingest(a_delivery(update("AB", delivered=3), registration=a_registration("TWO"), source=Source.REPLAY))
    report = Observation.objects.get()
    assert way_at(report.place) == "1"
    ingest(answer)
    report.refresh_from_db()
    assert way_at(report.place) == "0"
    assert Change.objects.get().place == report.place


def test_what_a_registration_reports_again_is_no_report() -> None:
    for _ in range(2):
        ingest(a_delivery(update("AB", delivered=3), registration=a_registration("ONE")))
    ingest(a_delivery(update("AB", "MN", delivered=4), registration=a_registration("ONE")))
    assert not Observation.objects.exists()


def test_files_report_on_their_own_account_and_not_first() -> None:
    one, two = a_registration("ONE"), a_registration("TWO")
    for registration, source in ((one, Source.PULL), (one, Source.FILE), (two, Source.FILE), (two, Source.PULL)):
        ingest(a_delivery(update("AB", delivered=3), registration=registration, source=source))
    found = {source_at(row.place): row.is_first for row in Observation.objects.all()}
    answers, files = "0" * 17, "2" * 17
    assert found == {
        source_of(one.pk, files): False,
        source_of(two.pk, files): True,
        source_of(two.pk, answers): False,
    }


def test_a_replay_repeats_what_its_registrations_answers_reported() -> None:
    ingest(a_delivery(update("AB", delivered=9), registration=a_registration("ONE")))
    for source in (Source.PULL, Source.REPLAY):
        ingest(a_delivery(update("AB", delivered=3), registration=a_registration("TWO"), source=source))
    assert Observation.objects.count() == 1


def test_a_file_reports_on_its_own_account_whether_it_is_read_before_its_registrations_answer_or_after() -> None:
    """X → Y stands after the file's report of A → B, and before the answer's."""
    found = in_every_order(
        (a_registration("ONE"), update("AB", delivered=9)),
        (a_registration("ONE"), update("AB", delivered=3), Source.FILE),
        (a_registration("THREE"), update("XY", delivered=6)),
    )
    assert found == ["AB", "XY"]


def test_what_a_registrations_files_report_again_later_is_another_fact() -> None:
    """Its answer reported the first one, too."""
    in_every_order(
        (a_registration("ONE"), update("AB", delivered=9)),
        (a_registration("ONE"), update("AB", delivered=3), Source.FILE),
        (a_registration("ONE"), update("AB", delivered=40, hours=30), Source.FILE),
    )
    assert len(live()) == 2


def test_the_least_place_of_several_files_counts() -> None:
    found = in_every_order(
        (a_registration("ONE"), update("AB", delivered=9)),
        (a_registration("ONE"), update("AB", delivered=3), Source.FILE),
        (a_registration("ONE"), update("AB", delivered=7), Source.FILE),
        (a_registration("THREE"), update("XY", delivered=6)),
    )
    assert found == ["AB", "XY"]


def test_a_file_and_an_answer_of_a_registration_that_reports_second() -> None:
    in_every_order(
        (a_registration("ONE"), update("AB", delivered=4)),
        (a_registration("TWO"), update("AB", delivered=9)),
        (a_registration("TWO"), update("AB", delivered=3), Source.FILE),
    )
    assert Observation.objects.filter(is_first=True).count() == 1


@pytest.mark.parametrize("again", range(2))
def test_what_is_read_again_reports_nothing_new(again: int) -> None:
    told = (Source.FILE, 3), (Source.PULL, 9)
    deliveries = [
        a_delivery(update("AB", delivered=hours), registration=a_registration("ONE"), source=source)
        for source, hours in told
    ]
    for delivery in deliveries:
        ingest(delivery)
    before = Observation.objects.values_list("pk", "place", "delivery").get()
    ingest(deliveries[again])
    assert Observation.objects.values_list("pk", "place", "delivery").get() == before
    assert Publication.objects.count() == 2


def test_a_file_that_somebody_else_s_answer_overtakes_reports_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    """An answer is read between what a second file knows of the notification and what it writes."""
    one = a_registration("ONE")
    first = stored(one, update("AB", delivered=3), Source.FILE, stands_for=9)
    second = stored(one, update("AB", delivered=2), Source.FILE, stands_for=8)
    answer = stored(one, update("AB", delivered=9))
    ingest(first)
    move, waiting = insert._move, [answer]

    def overtaken(batch: Any) -> None:
        if waiting:
            ingest(waiting.pop())
        move(batch)

    monkeypatch.setattr(insert, "_move", overtaken)
    ingest(second)
    report = Observation.objects.get()
    assert way_at(report.place) == "2" and report.observed_at == MOMENT + timedelta(hours=2)
    assert Change.objects.get().place == report.place


@pytest.mark.parametrize("first", [3, 5])
def test_of_two_that_move_a_report_simultaneously_the_earlier_counts(
    first: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    for reference in ("ONE", "TWO"):
        ingest(a_delivery(update("AB", delivered=9), registration=a_registration(reference)))
    two = a_registration("TWO")
    mine = stored(two, update("AB", "MN", delivered=first))
    theirs = stored(two, update("AB", "OP", delivered=8 - first))
    waiting, report_at = [theirs], observations._report_at

    def overtaken(*arguments: Any) -> bool:
        if waiting:
            ingest(waiting.pop())
        return report_at(*arguments)

    monkeypatch.setattr(observations, "_report_at", overtaken)
    ingest(mine)
    assert Observation.objects.get().observed_at == MOMENT + timedelta(hours=3)


def test_a_report_stands_where_its_notification_stands() -> None:
    """TWO's answers brought X → Y and then A → B, and a replay for an earlier call brings A → B once more."""
    found = in_every_order(
        (a_registration("ONE"), update("AB", delivered=9)),
        (a_registration("TWO"), update("XY", delivered=3), Source.PULL, 11),
        (a_registration("TWO"), update("AB", delivered=3), Source.PULL, 12),
        (a_registration("TWO"), update("AB", delivered=3), Source.REPLAY, 10),
    )
    assert found == ["XY", "AB"]


def test_who_is_overtaken_before_it_inserts_knows_who_was_faster(monkeypatch: pytest.MonkeyPatch) -> None:
    one = a_registration("ONE")
    answer = stored(one, update("AB", delivered=9))
    waiting, insert_companies = [stored(one, update("AB", delivered=3), Source.FILE)], insert._insert_companies

    def overtaken(*arguments: Any) -> None:
        if waiting:
            ingest(waiting.pop())
        insert_companies(*arguments)

    monkeypatch.setattr(insert, "_insert_companies", overtaken)
    ingest(answer)
    assert way_at(Observation.objects.get().place) == "2"
    assert Notification.objects.get().place.startswith("0")
