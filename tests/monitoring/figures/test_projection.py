"""Figures by day equal a plain fold of the history, whatever arrives first, and whoever is killed or overtaken."""

from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
from functools import partial
from itertools import count, product
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.models import Blob
from direct_plus.exact_json import parse_json
from dnbmon_site.operations.erase import company as erase_company
from dnbmon_site.operations.erase import registration as erase_registration
from monitoring.figures import advance, projection, writing
from monitoring.figures.advance import News
from monitoring.figures.catalog import Figures
from monitoring.figures.consumer import CONSUMER, bring_up_to_date, update_figures
from monitoring.figures.projection import project, project_all
from monitoring.figures.records import records_at
from monitoring.figures.writing import COLUMNS
from monitoring.models import Change, DailyStat, FigureCheckpoint, FigureMonth, FigureState, Kind
from monitoring.rebuild.rebuild import rebuild
from monitoring.retention.compaction import Cut, condense
from monitoring.retention.retention import snapshot_delivery
from portfolio.models import Company, Registration, RegistrationState
from tests.builders.companies import DUNS, OTHER, a_company
from tests.builders.deliveries import delivered
from tests.builders.elements import an_element
from tests.builders.figures import an_assessment, figures_on, folded
from tests.builders.notifications import a_notice, a_seed, a_transfer, an_update
from tests.builders.registrations import a_registration, one, two
from tests.builders.subjects import a_subject
from tests.builders.times import soon, stamp
from tests.engines import engine
from tests.interleaving import cut_before, interleave, orders_with_two_switches, some_of

pytestmark = pytest.mark.django_db
CASES = 4 if engine() == "mongodb" else 40
START = datetime(2026, 1, 28, 22, tzinfo=UTC)
DAYS = [START.date() + timedelta(days=days) for days in range(-2, 45)]
numbers = count(500_000_000)

SCORES = st.sampled_from([an_assessment(10, 5), an_assessment(60, 2, standardRating={"rating": "5A1"}), None])
VALUES: dict[str, Any] = {
    "dnbAssessment": SCORES,
    "dnbAssessment.failureScore.nationalPercentile": st.sampled_from([1, 50, None, "?"]),
    "dnbAssessment.failureScore.scoreDate": st.sampled_from(["2026-01-01", "2026-02-01"]),
    "dnbAssessment.failureScore": st.sampled_from(
        [{"nationalPercentile": 5, "scoreDate": "2026-01-15"}, {"nationalPercentile": 6, "scoreDate": "2026-02-15"}]
    ),
    "numberOfEmployees": st.sampled_from([[{"value": 5}], [{"value": 500}], []]),
    "industryCodes": st.sampled_from([[{"code": "2011", "typeDnBCode": 399}], [{"code": "10", "typeDnBCode": 1}]]),
    "dunsControlStatus.operatingStatus": st.sampled_from([{"description": "Active"}, {"dnbCode": 403}]),
    "legalEvents.hasOpenBankruptcy": st.booleans(),
    "corporateLinkage": st.sampled_from([{"parent": {"duns": "150483782"}}, {"globalUltimate": {"duns": OTHER}}]),
    "primaryName": st.sampled_from(["A", "B"]),
}
KINDS = ["seed", "update", "update", "update", "DELETE", "UNDELETE", "merger"]
HOURS = st.integers(0, 24 * 40)


@st.composite
def items(draw: st.DrawFn) -> tuple[bool, int, int, Any]:
    """Of which registration and company, when, and what: a document, a change or a notice."""
    hour, kind = (
        draw(HOURS),
        draw(st.sampled_from(["seed", "update", "update", "update", "DELETE", "UNDELETE", "merger"])),
    )
    at = stamp(START, hours=hour)
    if kind == "seed":
        members = draw(st.sets(st.sampled_from([name for name in VALUES if "." not in name]), max_size=4))
        found: Any = {name: draw(VALUES[name]) for name in sorted(members)}
    elif kind == "update":
        path = draw(st.sampled_from(sorted(VALUES)))
        found = an_element(f"organization.{path}", draw(VALUES[path]), draw(VALUES[path]), at)
    else:
        found = None
    return draw(st.booleans()), draw(st.integers(0, 1)), hour, (kind, found)


def item_of(kind: str, found: Any, duns: str, hour: int) -> dict[str, Any]:
    at = stamp(START, hours=hour)
    if kind == "seed":
        return a_seed(duns, delivered=at, **found)
    if kind == "update":
        return an_update(found, duns=duns, delivered=stamp(START, hours=hour + 30))
    return a_transfer(duns, delivered=at) if kind == "merger" else a_notice(kind, duns, delivered=at)


@given(
    stream=st.lists(items(), min_size=1, max_size=14),
    is_in_order=st.booleans(),
    cuts=st.sets(st.integers(1, 13)),
    asked=st.lists(st.sampled_from(DAYS), min_size=3, max_size=3),
)
@settings(max_examples=CASES, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_day_is_what_a_plain_fold_gives(
    db: None, stream: list[tuple[bool, int, int, Any]], is_in_order: bool, cuts: set[int], asked: list[date]
) -> None:
    """Also where what comes later was added to what was known, and what is kept for that is the same."""
    stream = sorted(stream, key=lambda item: item[2]) if is_in_order else stream
    duns = [f"{next(numbers):09d}", f"{next(numbers):09d}"]
    made = [one(), two()]
    for position, (is_first, company, hour, (kind, found)) in enumerate(stream):
        delivered(item_of(kind, found, duns[company], hour), registration=made[is_first])
        if position in cuts:
            update_figures(soon())
            records_at(None)
            records_at(asked[0])
    update_figures(soon())
    kept = states(duns)
    assert project(duns) == set()
    assert states(duns) == kept
    for day in [*asked, None]:
        stored = figures_on(day)
        assert [stored.get(number, Figures()) for number in duns] == [folded(number, day) for number in duns]
    for row in Company.objects.filter(pk__in=duns):
        latest = folded(row.pk, None)
        assert {name: getattr(row, name) for name in COLUMNS} == {name: getattr(latest, name) for name in COLUMNS}


def states(duns: list[str]) -> dict[str, tuple[Any, bytes]]:
    """By company, how a fold and what is added to one must leave them."""
    rows = FigureState.objects.filter(company__in=duns)
    return {row.pk: (parse_json(row.projection), bytes(row.before)) for row in rows}


def scores(duns: str = DUNS, **days: int) -> None:
    """A document on the first day, and its percentile after each of the other days."""
    (first, percentile), *others = days.items()
    document = a_seed(duns, delivered=stamp(START, days=int(first[1:])), dnbAssessment=an_assessment(percentile))
    delivered(document, registration=one())
    scores_after(percentile, duns, **dict(others))


def scores_after(before: int, duns: str = DUNS, **days: int) -> None:
    for time, percentile in days.items():
        at = stamp(START, **{"days" if time[0] == "d" else "hours": int(time[1:])})
        path = "organization.dnbAssessment.failureScore.nationalPercentile"
        delivered(an_update(an_element(path, before, percentile, at), duns=duns, delivered=at), registration=one())
        before = percentile


def percentile_on(days: int) -> int | None:
    found = figures_on((START + timedelta(days=days)).date()).get(DUNS)
    return found.failure_percentile if found else None


def rows() -> list[tuple[Any, ...]]:
    months = FigureMonth.objects.exclude(entries=b"").order_by("key").values_list("key", "entries")
    companies = Company.objects.order_by("pk").values_list("pk", *COLUMNS, "last_critical_at")
    return [(key, bytes(entries)) for key, entries in months] + list(companies)


def test_an_event_that_comes_late_changes_months_that_were_asked_for_before() -> None:
    scores(d0=50, d40=40)
    update_figures(soon())
    assert [percentile_on(days) for days in (-1, 0, 10, 39, 40, 70)] == [None, 50, 50, 50, 40, 40]
    assert FigureCheckpoint.objects.filter(is_whole=True).exists()
    at = stamp(START, days=5)
    path = "organization.dnbAssessment.failureScore.nationalPercentile"
    delivered(an_update(an_element(path, 50, 45, at), duns=DUNS, delivered=at), registration=one())
    update_figures(soon())
    assert [percentile_on(days) for days in (0, 4, 5, 10, 39, 40, 70)] == [50, 50, 45, 45, 45, 40, 40]


def test_what_changes_nothing_writes_nothing() -> None:
    scores(d0=50, d1=40)
    update_figures(soon())
    before = rows(), Company.objects.get(pk=DUNS).version
    assert project([DUNS]) == set()
    CONSUMER.rewind(0)
    assert update_figures(soon()) == 2
    assert (rows(), Company.objects.get(pk=DUNS).version) == before


def test_the_last_critical_change_is_a_column() -> None:
    scores(d0=50)
    at = stamp(START, days=3)
    for duns in (DUNS, OTHER):
        path, active, out = "organization.dunsControlStatus.operatingStatus", {"dnbCode": 9074}, {"dnbCode": 403}
        delivered(an_update(an_element(path, active, out, at), duns=duns, delivered=at), registration=one())
    update_figures(soon())
    assert {row.last_critical_at for row in Company.objects.all()} == {START + timedelta(days=3)}
    Change.objects.filter(company=OTHER).update(superseded=True)
    project([OTHER])
    assert Company.objects.get(pk=OTHER).last_critical_at is None


def test_a_rebuild_gives_the_same_rows() -> None:
    scores(d0=50, d3=40, d40=30)
    update_figures(soon())
    before = rows()
    FigureMonth.objects.update(entries=b"")
    Company.objects.update(failure_percentile=99)
    assert rebuild().figures == 1
    assert rows() == before
    FigureMonth.objects.all().delete()
    rebuild()
    assert rows() == before


def test_months_before_the_history_that_is_kept_stay() -> None:
    scores(d0=50, d3=40, d30=30, d40=20)
    update_figures(soon())
    before = [percentile_on(days) for days in range(45)]
    row = one()
    at = START.replace(hour=0) + timedelta(days=35)
    condense(DUNS, Cut(at, {row.pk: row}, {row.pk: snapshot_delivery(row, at)}))
    assert Change.objects.filter(company=DUNS).count() == 1
    rebuild()
    assert project_all() == 0
    assert [percentile_on(days) for days in range(45)] == before


def test_what_comes_late_for_a_time_before_the_history_that_is_kept_changes_nothing() -> None:
    scores(d0=50, d3=40)
    row, at = one(), START.replace(hour=0) + timedelta(days=35)
    condense(DUNS, Cut(at, {row.pk: row}, {row.pk: snapshot_delivery(row, at)}))
    scores_after(40, d10=30)
    update_figures(soon())
    assert percentile_on(40) == 40 and Company.objects.get(pk=DUNS).failure_percentile == 40
    assert project([DUNS]) == set()


WRITES = ((writing, "insert_new"), (writing, "update_versions"))


def test_two_at_once_end_with_the_same_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of which one may have read its events before the last arrived."""
    scores(d0=50, d3=40, d40=30)
    project([DUNS])
    expected = rows()
    late = Change.objects.filter(company=DUNS, changed_at=START + timedelta(days=3))
    key = late.get().pk

    def with_the_late_one() -> None:
        Change.objects.filter(pk=key).update(company=DUNS)
        project([DUNS])

    cut_before(monkeypatch, (projection, "pasts"), (projection, "_last_critical"), *WRITES)
    parked = a_company(OTHER)
    for is_empty in (True, False):
        for order in some_of(orders_with_two_switches(7, 7), 3):
            Change.objects.filter(pk=key).update(company=parked)
            project([DUNS])
            if is_empty:
                FigureMonth.objects.all().delete()
            interleave(order, lambda: project([DUNS]), with_the_late_one)
            assert [row for row in rows() if OTHER not in row] == expected, order


def test_whoever_is_killed_leaves_nothing_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    scores(d0=50, d3=40, d40=30)
    project([DUNS])
    expected, killed = rows(), 0
    for which in range(9):
        FigureMonth.objects.filter(month=date(2026, 1, 1)).delete()
        FigureMonth.objects.update(entries=b"")
        Company.objects.update(failure_percentile=99)
        with monkeypatch.context() as patched, suppress(Killed):
            kill_at(patched, which)
            project([DUNS])
            continue
        killed += 1
        project([DUNS])
        assert rows() == expected
    assert killed == 8


def test_what_comes_later_is_added_without_the_past(monkeypatch: pytest.MonkeyPatch) -> None:
    """A second time, too, and after a process that was killed while it wrote."""
    scores(d0=50)
    update_figures(soon())
    position = CONSUMER.position()
    kept = [list(model.objects.all()) for model in (FigureMonth, FigureState, Company)]
    scores_after(50, d1=40, d40=30)
    with monkeypatch.context() as patched:
        patched.setattr(projection, "pasts", None)
        update_figures(soon())
        assert [percentile_on(days) for days in (0, 1, 39, 40)] == [50, 40, 40, 30]
        # On the same day it is as it was before.
        scores_after(30, h961=40)
        update_figures(soon())
    assert project([DUNS]) == set()
    expected = rows(), states([DUNS])
    for which in range(8):
        set_back(kept, position)
        with monkeypatch.context() as patched, suppress(Killed):
            kill_at(patched, which)
            update_figures(soon())
        update_figures(soon())
        assert (rows(), states([DUNS])) == expected


def set_back(kept: list[list[Any]], position: int) -> None:
    FigureState.objects.all().delete()
    FigureMonth.objects.all().delete()
    months, states, companies = kept
    FigureMonth.objects.bulk_create(months)
    FigureState.objects.bulk_create(states)
    for row in companies:
        row.save()
    CONSUMER.rewind(position)


def test_who_adds_and_who_makes_anew_at_once_end_with_the_same_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    scores(d0=50, d3=40, d40=30)
    project([DUNS])
    expected = rows(), states([DUNS])
    first, last = Change.objects.filter(company=DUNS, kind=Kind.ELEMENT).order_by("changed_at")
    parked = a_company(OTHER)
    orders = some_of(orders_with_two_switches(6, 6), 3)
    for module, name in ((advance, "_months"), (advance, "read_companies"), (projection, "pasts"), *WRITES):
        cut_before(monkeypatch, (module, name))
    for order in orders:
        Change.objects.filter(pk__in=[first.pk, last.pk]).update(company=parked)
        project([DUNS])
        Change.objects.filter(pk=first.pk).update(company=DUNS)

        def with_the_last_one() -> None:
            Change.objects.filter(pk=last.pk).update(company=DUNS)
            project([DUNS])

        interleave(order, lambda: bring_up_to_date({DUNS: News(changes={first.pk})}), with_the_last_one)
        assert ([row for row in rows() if OTHER not in row], states([DUNS])) == expected, order


def test_who_is_killed_while_another_adds_more_takes_nothing_of_it_away(monkeypatch: pytest.MonkeyPatch) -> None:
    """It has read fewer publications, and the other goes on to those that follow."""
    scores(d0=50)
    update_figures(soon())
    kept = [list(model.objects.all()) for model in (FigureMonth, FigureState, Company)]
    scores_after(50, d1=40, d2=30)
    project([DUNS])
    expected = rows(), states([DUNS])
    first, last = Change.objects.filter(kind=Kind.ELEMENT).order_by("changed_at").values_list("pk", flat=True)

    def with_fewer(which: int) -> None:
        with monkeypatch.context() as patched, suppress(Killed):
            kill_at(patched, which)
            bring_up_to_date({DUNS: News(changes={first})})

    for place, which in product(range(3), range(1, 6)):
        set_back(kept, 0)
        with monkeypatch.context() as patched:
            before_a_write(patched, place, partial(with_fewer, which))
            bring_up_to_date({DUNS: News(changes={first, last})})
        assert (rows(), states([DUNS])) == expected, (place, which)


def before_a_write(patched: pytest.MonkeyPatch, which: int, other: Callable[[], None]) -> None:
    done = count()

    def interrupted(write: Callable[..., Any]) -> Callable[..., Any]:
        def written(*arguments: Any, **more: Any) -> Any:
            if next(done) == which:
                other()
            return write(*arguments, **more)

        return written

    for owner, name in WRITES:
        patched.setattr(owner, name, interrupted(getattr(owner, name)))


class Killed(Exception):
    pass


def kill_at(patched: pytest.MonkeyPatch, which: int) -> None:
    """Before or after one of the writes."""
    done = count()

    def stopping(write: Callable[..., Any]) -> Callable[..., Any]:
        def written(*arguments: Any, **more: Any) -> Any:
            if next(done) == which:
                raise Killed
            found = write(*arguments, **more)
            if next(done) == which:
                raise Killed
            return found

        return written

    for owner, name in WRITES:
        patched.setattr(owner, name, stopping(getattr(owner, name)))


def test_an_erased_company_is_in_no_row_and_no_checkpoint() -> None:
    scores(d0=50)
    scores(OTHER, d0=60)
    update_figures(soon())
    assert set(figures_on(None)) == {DUNS, OTHER}
    erase_company.forget(OTHER, by="ann", now=True)
    assert not FigureMonth.objects.filter(company=OTHER).exists()
    assert not FigureCheckpoint.objects.exists()
    assert set(figures_on(None)) == {DUNS}


def test_of_a_company_that_is_being_erased_others_are_no_worse_off() -> None:
    """Its changes have gone after they were read, its documents have not yet."""
    scores(d0=50)
    scores(OTHER, d0=60)
    news = {row.company_id: News(seeds={row.notification_id}) for row in Change.objects.all()}
    Change.objects.filter(company=OTHER).delete()
    bring_up_to_date(news)
    assert percentile_on(0) == 50


def dies(*given: object, **named: object) -> None:
    raise SystemExit


@pytest.mark.parametrize("step", ["settle_what_is_left", "bring_up_to_date", "forget_touched"])
def test_an_erase_of_a_registration_that_is_killed_is_completed_by_the_next(
    step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its rows are gone by then, and nothing else says whose figures they were, or on which days they counted."""
    scores(d0=50)
    update_figures(soon())
    row = a_registration("ONE", state=RegistrationState.PAUSED)
    # Another registration has the company, so it stays.
    a_subject(DUNS, two())
    with monkeypatch.context() as patched:
        patched.setattr(erase_registration, step, dies)
        with pytest.raises(SystemExit):
            erase_registration.forget(row, by="ann")
    assert not Change.objects.exists()
    erase_registration.forget(row, by="ann")
    assert not Blob.objects.exists() and not DailyStat.objects.exists() and figures_on(None) == {}
    assert project([DUNS]) == set() and not Registration.objects.filter(pk=row.pk).exists()


def test_figures_of_an_erased_registration_go_and_others_stay() -> None:
    scores(d0=50)
    at = stamp(START, days=2)
    delivered(a_seed(delivered=at, numberOfEmployees=[{"value": 5}]), registration=two())
    update_figures(soon())
    erase_registration.forget(a_registration("ONE", state=RegistrationState.PAUSED), by="ann")
    left = {number: (figures.failure_percentile, figures.size) for number, figures in figures_on(None).items()}
    assert left == {DUNS: (None, "micro")}
    assert percentile_on(0) is None
    assert project([DUNS]) == set()
