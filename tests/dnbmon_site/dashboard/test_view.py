"""The Overview: what needs attention, what happened last, how fresh it is, each with the fewest queries."""

import re
import uuid
from datetime import timedelta
from html import unescape
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from django_q.models import Schedule
from pytest_django import Settings

from core.cached_counts import update_counts
from core.models import CachedCount
from dnbmon_site.accounts.models import User
from dnbmon_site.dashboard.needs import alerts as needs
from dnbmon_site.worker.schedules import install_schedules
from health.schedule_status import pause
from monitoring.jobs import count_days
from monitoring.models import Alert, DailyTotal, Delivery, DeliveryState, Publication, Source
from portfolio.models import ProposalKind, Registration, SubjectImport
from portfolio.proposals.create import Sign, propose
from portfolio.registrations.pull_job import PULL_JOB
from tests.builders import alerts
from tests.builders.channels import a_channel
from tests.builders.companies import DUNS, OTHER
from tests.builders.contracts import a_contract
from tests.builders.deliveries import delivered
from tests.builders.elements import an_element
from tests.builders.notifications import an_update
from tests.builders.pages import text_of
from tests.builders.people import a_person
from tests.builders.queries import AtMost
from tests.builders.registrations import a_registration
from tests.builders.subjects import a_subject
from tests.builders.times import stamp

pytestmark = pytest.mark.django_db
NOW = timezone.now()
FAILURE = "organization.dnbAssessment.failureScore.nationalPercentile"
MOST_QUERIES = 14


def test_a_channel_that_gets_nothing_any_more_is_told_to_whom_it_belongs(client: Client) -> None:
    """One that leads where the rules for addresses no longer let it, although it is switched on."""
    ann, bob = (a_person("view_channel", username=name) for name in ("ann", "bob"))
    channel = a_channel(name="Chat of ann", address="jsons://chat.example.com/hook", person=ann)
    a_channel(name="Chat of all", address="jsons://chat.example.com/hook", person=None)
    client.force_login(ann)
    page = client.get("/")
    assert "Channel “Chat of ann” no longer receives messages JSON on your own server requires permission" in text_of(
        page
    )
    assert f"/monitoring/channel/{channel.pk}/change/" in page.content.decode()
    assert "Chat of all" not in text_of(page)
    client.force_login(bob)
    assert "no longer receives" not in text_of(client.get("/"))


def test_it_opens_with_few_queries(admin: Client, django_assert_max_num_queries: AtMost) -> None:
    recent_news()
    update_counts()
    # An administrator also sees what health has found, and the guided start until it is dismissed.
    with django_assert_max_num_queries(MOST_QUERIES + 4):
        assert "Get started" in text_of(admin.get("/"))
    admin.post("/start/dismiss/")
    with django_assert_max_num_queries(MOST_QUERIES):
        text = text_of(admin.get("/"))
    assert "1 critical change" in text and "Critical 804735132" in text


def test_with_everything_on_it_the_queries_stay_few(client: Client, django_assert_max_num_queries: AtMost) -> None:
    """Opened and refreshed, by a person whose rights have to be read."""
    all_kinds_of_news()
    client.force_login(a_person(role="Portfolio manager"))
    for address, most in (("/", MOST_QUERIES + 1), ("/", MOST_QUERIES), ("/?part=live&days=90", MOST_QUERIES)):
        with django_assert_max_num_queries(most):
            text = text_of(client.get(address))
        days = "last 90 days" if "90" in address else "last 30 days"
        assert f"Largest single declines {days} View portfolio risk" in text, address
        of_runs = (
            f"Three or more declines in a row latest decline: {days}; earlier ones are included; no increase since"
        )
        assert f"{of_runs} View portfolio risk Company 804735132" in text, address


def test_declines_lead_to_the_risk_of_the_same_days(client: Client) -> None:
    recent_news()
    registration = a_registration()
    client.force_login(a_person("view_change", "view_company"))
    page = client.get("/", {"from": "2026-07-01", "to": "2026-07-14", "registration": str(registration.pk)})
    link = page.context["asked"].risk
    assert link.replace("&", "&amp;") in page.text and client.get(link).status_code == 200
    assert link == f"/portfolio/risk/?day=2026-07-14&since=2026-06-30&registration={registration.pk}"
    client.force_login(a_person("view_change", username="other"))
    assert "View portfolio risk" not in text_of(client.get("/"))


def all_kinds_of_news() -> None:
    """Something for every part of the page, in two registrations."""
    registration = a_registration(adopted=True, last_pulled_at=NOW, next_pull_at=NOW)
    a_subject(registration=registration, state="monitored")
    a_contract(contracted_number=10)
    recent_news()
    falls = [an_element(FAILURE, 60 - fall, 50 - fall, stamp(NOW, hours=fall - 40)) for fall in (0, 10, 20, 30)]
    delivered(*(an_update(one, delivered=stamp(NOW)) for one in falls), at=stamp(NOW))
    names = an_update(an_element(timestamp=stamp(NOW, hours=-3)), duns="150483782", delivered=stamp(NOW))
    delivered(names, registration=a_registration("OTHER_01"), at=stamp(NOW))
    Alert.objects.create(**an_alert())
    count_days()
    update_counts()


def an_alert() -> dict[str, Any]:
    moments = dict.fromkeys(("happened_at", "raised_at", "rate_window"), NOW)
    words = {"title": "Acme Ltd: operating status Active → Out of business", "reason": "It is so.", "rule_name": "Out"}
    return {"id": uuid.uuid4(), "severity": 4, "state": "new", "sequence": 1, **moments, **words}


def recent_news() -> None:
    now = timezone.now()
    element = an_element("organization.legalEvents.hasOpenBankruptcy", False, True, stamp(now, hours=-1))
    delivered(an_update(element, delivered=stamp(now)), at=stamp(now))
    count_days()


def test_figures_that_are_not_counted_yet_are_marked_until_they_are(admin: Client) -> None:
    now = timezone.now()
    element = an_element("organization.legalEvents.hasOpenBankruptcy", False, True, stamp(now, hours=-1))
    delivered(an_update(element, delivered=stamp(now)), at=stamp(now))
    text = text_of(admin.get("/"))
    assert "Figures are being updated." in text and "0 critical changes" in text
    count_days()
    text = text_of(admin.get("/?part=live"))
    assert "Figures are being updated." not in text and "1 critical change" in text


def test_the_last_heavy_changes_are_told(admin: Client) -> None:
    recent_news()
    assert "804735132 (name not yet known): Open bankruptcy no → yes" in text_of(admin.get("/"))


def test_the_last_changes_come_in_the_order_of_their_times(admin: Client) -> None:
    now, bankrupt = timezone.now(), "organization.legalEvents.hasOpenBankruptcy"
    insolvent = "organization.legalEvents.hasInsolvency"
    for duns, path, hours in ((DUNS, bankrupt, -5), (OTHER, bankrupt, -3), (DUNS, insolvent, -1)):
        delivered(an_update(an_element(path, False, True, stamp(now, hours=hours)), duns=duns), at=stamp(now))
    count_days()
    last = [line.change.company_id for line, *_ in admin.get("/").context["last"]]
    assert last == [DUNS, OTHER], "a company stands where its latest change does"


def test_the_chart_shows_days_and_weights(admin: Client) -> None:
    recent_news()
    page = admin.get("/").content.decode()
    assert ": 1 critical</title>" in page and 'aria-label="Changes per day by severity, last 30 days"' in page


def test_the_living_part_comes_alone(admin: Client) -> None:
    recent_news()
    page = admin.get("/?part=live").content.decode()
    assert 'id="live"' in page and "<html" not in page


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"state": "stopped", "stopped_reason": "D&B said no."}, "stopped by D&B D&B said no."),
        ({"gap_from": NOW, "gap_until": NOW, "gap_reason": "Days are missing."}, "data gap Days are missing."),
        ({"ingest_stopped_reason": "20 in a row."}, "processing stopped 20 in a row."),
        ({"replay_mark": "More than 100 share a time."}, "replay incomplete More than 100 share a time."),
        ({"consecutive_failures": 3, "last_error": "No answer."}, "retrying No answer."),
        ({"next_pull_at": NOW - timedelta(hours=1)}, "late The pull is overdue"),
        ({"state": "paused", "last_pulled_at": NOW - timedelta(days=2)}, "data loss in 1 d 23 h"),
        ({"state": "paused", "last_pulled_at": NOW - timedelta(days=5)}, "data loss now"),
    ],
)
def test_what_needs_a_person(admin: Client, fields: dict[str, Any], expected: str) -> None:
    a_registration(**fields)
    recent_news_of_another()
    assert f"ACME_LOD_01: {expected}" in text_of(admin.get("/"))


def test_lists_that_are_not_adopted_are_one_quiet_task_for_those_who_adopt(client: Client) -> None:
    first = a_registration()
    recent_news_of_another()
    title = "2 lists not adopted"
    client.force_login(a_person(role="Administrator"))
    assert title not in text_of(client.get("/")), "the guided start has it as a step"
    client.post("/start/dismiss/")
    (need,) = [one for one in client.get("/").context["needs"] if one.title == title]
    assert need.tone == "calm" and need.text.startswith("ACME_LOD_01, ") and str(first.pk) in need.link
    client.force_login(a_person(username="eve", role="Viewer"))
    assert title not in text_of(client.get("/"))
    client.force_login(a_person(username="max", role="Portfolio manager"))
    assert title in text_of(client.get("/"))
    Registration.objects.update(adopted=True)
    assert title not in text_of(client.get("/"))


def test_paused_pulls_are_one_urgent_task_with_the_way_to_resume(client: Client) -> None:
    install_schedules()
    pause(Schedule.objects.filter(func=PULL_JOB), actor="anna")
    a_registration(next_pull_at=NOW - timedelta(hours=1), last_pulled_at=NOW - timedelta(days=1))
    recent_news_of_another()
    client.force_login(a_person(role="Operator"))
    page = client.get("/")
    text = text_of(page)
    assert "Warning Pulls are paused anna paused the job “Pull due registrations” on" in text
    assert "Paused Pulls: by anna, no end set" in text and "registrations up to date" not in text
    assert "late The pull" not in text and ": data loss" not in text
    assert f'action="/health/jobs/{Schedule.objects.get(func=PULL_JOB).pk}/resume/"' in page.content.decode()
    client.force_login(a_person(username="eve", role="Viewer"))
    page = client.get("/")
    assert "Ask an operator to resume the job." in text_of(page) and "/resume/" not in page.content.decode()


def recent_news_of_another() -> None:
    delivered(an_update(), registration=a_registration("OTHER_01"))
    count_days()
    update_counts()


def test_doubts_and_unreadable_items_are_named(admin: Client) -> None:
    delivered(an_update(an_element(timestamp=stamp(NOW))), '{"torn":1}')
    Delivery.objects.create(registration=a_registration(), source=Source.PULL, state=DeliveryState.IN_DOUBT)
    count_days()
    update_counts()
    text = text_of(admin.get("/"))
    assert "1 call in doubt" in text and "1 parsing error" in text


def test_a_worker_that_does_not_run_is_named(admin: Client) -> None:
    recent_news()
    assert "No worker is running No registration is pulled until" in text_of(admin.get("/"))
    update_counts()
    assert "No worker is running" not in text_of(admin.get("/"))
    CachedCount.objects.update(counted_at=timezone.now() - timedelta(minutes=20))
    assert "manage.py worker. The numbers on this page are from 20 minutes ago." in text_of(admin.get("/"))


def test_what_waits_for_a_decision_is_named(admin: Client) -> None:
    registration = a_registration(adopted=True)
    a_subject(registration=registration)
    a_subject("150483782", registration, state="refused")
    propose([Sign(ProposalKind.DELETE, registration.pk, DUNS)])
    now = timezone.now()
    for state in ("read", "awaiting_approval"):
        SubjectImport.objects.create(registration=registration, state=state, created_by="eve", created_at=now)
    recent_news_of_another()
    text = text_of(admin.get("/"))
    assert "1 proposal to review" in text and "1 company refused by D&B" in text
    assert "1 import awaiting confirmation" in text and "1 import needs a second approval" in text
    for role, words in (("Viewer", "Data freshness"), ("Approver", "1 import needs a second approval")):
        admin.force_login(a_person(username=role, role=role))
        text = text_of(admin.get("/"))
        assert words in text and "to review" not in text and "refused by D&B" not in text


def test_nothing_to_do_is_said_too(admin: Client) -> None:
    a_channel(all_rules=True)
    a_registration(last_pulled_at=timezone.now(), next_pull_at=timezone.now())
    update_counts()
    assert "All registrations are up to date, and no decisions are pending." in text_of(admin.get("/"))


def test_the_demonstration_is_marked_on_every_page(admin: Client, settings: Settings) -> None:
    settings.DEMO = True
    for path in ("/", "/monitoring/change/", "/portfolio/registration/"):
        assert "Demonstration" in text_of(admin.get(path))
    admin.logout()
    assert "Demonstration" in text_of(admin.get("/login/"))


def test_people_see_only_what_they_may(client: Client) -> None:
    recent_news()
    client.force_login(User.objects.create_user("bob", is_staff=True))
    text = text_of(client.get("/"))
    assert "Open bankruptcy" not in text and "Schedules" not in text


# The days and the registration, in the address


def test_days_and_registration_are_kept_in_the_address(admin: Client) -> None:
    all_kinds_of_news()
    row = a_registration("OTHER_01")
    page = admin.get(f"/?days=7&registration={row.pk}").content.decode()
    assert f'data-live="/?registration={row.pk}&amp;days=7&amp;part=live"' in page
    assert f'<a href="/?registration={row.pk}&amp;days=90">90 days</a>' in page
    text = text_of(admin.get(f"/?days=7&registration={row.pk}"))
    assert "Changes, last 7 days" in text and "0 critical changes" in text and "Open bankruptcy" not in text


def test_the_latest_changes_have_one_line_for_each_company(admin: Client) -> None:
    all_kinds_of_news()
    page = admin.get("/").content.decode()
    lines = re.findall(r'class="df-line".*?</div>', page, re.DOTALL)
    assert len(lines) == 1 and f"/portfolio/company/{DUNS}/change/?tab=timeline" in lines[0]


def test_own_dates_are_taken_as_they_are_written(admin: Client) -> None:
    recent_news()
    text = text_of(admin.get("/?from=2026-01-14&to=2026-01-01"))
    assert "Changes, 1 Jan 2026 to 14 Jan 2026" in text and "0 critical changes" in text
    assert "No critical or high changes in this period." in text


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("from=yesterday", "The dates are not valid. The last 30 days are shown"),
        ("from=2020-01-01&to=2026-01-01", "A range may have up to 366 days."),
        ("days=1000&registration=none", "Changes, last 30 days"),
    ],
)
def test_what_cannot_be_shown_is_said(admin: Client, query: str, said: str) -> None:
    recent_news()
    assert said in text_of(admin.get(f"/?{query}"))


def test_charts_lead_to_the_changes_they_count(admin: Client) -> None:
    all_kinds_of_news()
    page = admin.get("/").content.decode()
    links = {unescape(link) for link in re.findall(r'href="(/monitoring/change/\?[^"]*from-medium[^"]*)"', page)}
    counted = {link: changes_in(admin, link) for link in links if "day_from" in link}
    assert len(counted) >= 4 and all(counted.values())
    by_element = next(link for link in links if FAILURE in link)
    assert changes_in(admin, by_element) == 4
    assert 'aria-label="National percentile (failure score): 4 changes, 4 high"' in page


def changes_in(admin: Client, link: str) -> int:
    return admin.get(link).content.decode().count('data-key="')


def test_monitored_companies_stand_against_the_contract(admin: Client) -> None:
    all_kinds_of_news()
    assert "1 company monitored At least 1 of 10 contracted used this year" in text_of(admin.get("/"))


def test_the_newest_critical_alerts_are_told_until_somebody_takes_them(admin: Client) -> None:
    all_kinds_of_news()
    text = text_of(admin.get("/"))
    assert "Urgent 1 critical alert Not acknowledged yet. Acme Ltd: operating" in text and ", raised " in text
    admin.post(f"/monitoring/alert/{Alert.objects.get().pk}/do/acknowledge/")
    assert "critical alert" not in text_of(admin.get("/"))


def some_alerts_at_stake() -> None:
    """The older, the more; two about one company."""
    for number, duns in enumerate((DUNS, DUNS, OTHER, "000000003", "000000004")):
        alerts.an_alert(number, company_id=duns, exposure=100_000 * (number if number != 1 else 0))
    Alert.objects.filter(company=DUNS).update(exposure=500_000)
    update_counts("alerts", "exposure")


def test_critical_alerts_carry_the_money_at_stake_and_are_ordered_by_it(admin: Client) -> None:
    some_alerts_at_stake()
    text = text_of(admin.get("/"))
    # Each company counts once, and has one line.
    assert "Not acknowledged yet. At stake: EUR 14,000." in text
    assert text.index("EUR 5,000") < text.index("alert 4") < text.index("EUR 4,000") < text.index("alert 3")
    assert "alert 2" not in text and "alert 1" not in text and "Show the latest first" in text
    assert "your role" not in text
    page = admin.get("/", {"alerts": "latest"})
    text = text_of(page)
    assert text.index("alert 0") < text.index("alert 2") < text.index("alert 3")
    assert "alert 4" not in text and "alert 1" not in text and "Show the largest exposure first" in text
    assert "alerts=latest" in page.context["live"]


def test_money_of_more_alerts_than_are_counted_is_at_least_that(admin: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(needs, "COUNTED", 5)
    some_alerts_at_stake()
    assert "At stake: at least EUR 14,000." in text_of(admin.get("/"))


def test_who_may_not_see_money_sees_alerts_without_it(client: Client) -> None:
    some_alerts_at_stake()
    client.force_login(a_person("view_change", "view_alert"))
    text = text_of(client.get("/", {"alerts": "exposure"}))
    assert "5 critical alerts" in text and "alert 0" in text
    assert "EUR" not in text and "At stake" not in text and "largest" not in text
    # A colleague who sees exposure has another order.
    assert text.count("The latest first, because your role does not show exposure.") == 1


# What is new


def test_news_counts_from_the_visit_before(admin: Client) -> None:
    recent_news()
    assert "This is your first visit" in text_of(admin.get("/"))
    User.objects.update(seen_at=NOW - timedelta(hours=2))
    more_news()
    for address in ("/", "/?part=live", "/"):
        assert "1 new since your last visit 1 medium" in text_of(admin.get(address)), address
    assert "New" in text_of(admin.get("/"))


def test_news_counts_from_the_first_opening_with_data(admin: Client) -> None:
    recent_news()
    admin.get("/")
    more_news()
    assert "1 new since your last visit" in text_of(admin.get("/"))


def test_a_first_visit_that_began_without_data_ends_with_the_data(admin: Client) -> None:
    admin.get("/")
    recent_news()
    assert "This is your first visit" in text_of(admin.get("/"))
    more_news()
    assert "1 new since your last visit" in text_of(admin.get("/"))


def test_signing_in_again_begins_a_visit(admin: Client) -> None:
    recent_news()
    text = text_of(admin.get("/"))
    assert "A visit ends after 30 minutes away or when you sign in again." in text
    more_news()
    assert "1 new since your last visit" in text_of(admin.get("/"))
    User.objects.update(seen_sequence=Publication.objects.latest("sequence").sequence)
    admin.force_login(User.objects.get())
    text = text_of(admin.get("/"))
    assert "0 new since your last visit Since" in text and "A visit ends after" in text


def test_the_number_of_news_leads_to_what_it_counts(admin: Client) -> None:
    """By when it was received: what is new may have happened long before, and other changes on the same day."""
    recent_news()
    admin.get("/")
    User.objects.update(seen_at=NOW - timedelta(hours=2))
    more_news()
    link = next(tile.link for tile in admin.get("/").context["tiles"] if "new since" in tile.words)
    found = admin.get(link).context["cl"]
    assert [row.delivery_id for row in found.result_list] == [Publication.objects.latest("sequence").delivery_id]
    assert "After" in text_of(admin.get(link))
    assert admin.get(f"{link}9").context["cl"].result_count == 0
    for odd in ("x", "-1", "9" * 30, "²"):
        assert admin.get(f"/monitoring/change/?published_after={odd}").status_code == 200, odd


def test_refreshing_by_itself_moves_no_mark(admin: Client) -> None:
    recent_news()
    admin.get("/")
    User.objects.update(seen_at=NOW - timedelta(hours=2))
    before = User.objects.values("seen_at", "seen_sequence", "news_since", "news_sequence").get()
    more_news()
    admin.get("/?part=live")
    assert User.objects.values("seen_at", "seen_sequence", "news_since", "news_sequence").get() == before


def test_who_has_seen_it_says_so(admin: Client) -> None:
    recent_news()
    admin.get("/")
    User.objects.update(seen_at=NOW - timedelta(hours=2))
    more_news()
    admin.get("/")
    assert admin.post("/seen/", {"back": "/?days=7"})["Location"] == "/?days=7"
    assert "0 new since your last visit" in text_of(admin.get("/"))
    assert admin.post("/seen/", {"back": "https://elsewhere.example/"})["Location"] == "/"
    assert admin.get("/seen/").status_code == 405


def more_news() -> None:
    now = timezone.now()
    delivered(an_update(an_element(timestamp=stamp(now, hours=-1)), delivered=stamp(now)), at=stamp(now))


def test_what_arrived_during_the_first_visit_is_not_new(admin: Client) -> None:
    admin.get("/")
    recent_news()
    assert "This is your first visit" in text_of(admin.get("/"))
    User.objects.update(seen_at=NOW - timedelta(hours=2), seen_sequence=1)
    more_news()
    assert "1 new since your last visit" in text_of(admin.get("/"))


def test_a_chart_that_begins_before_the_first_data_names_its_day(admin: Client) -> None:
    recent_news()
    Delivery.objects.update(received_at=NOW - timedelta(days=10))
    update_counts("in_use")
    assert "Notifications have been received since" in text_of(admin.get("/"))
    assert "Notifications have been received since" not in text_of(admin.get("/?days=7"))


def test_without_history_of_the_days_before_there_is_no_trend(admin: Client) -> None:
    recent_news()
    day = NOW.date() - timedelta(days=40)
    DailyTotal.objects.create(
        id=uuid.uuid4(), registration=a_registration(), day=day, axis="day", value=day.isoformat(), severity=4, count=3
    )
    assert "vs." not in text_of(admin.get("/")) and "same as" not in text_of(admin.get("/"))
    Delivery.objects.update(received_at=NOW - timedelta(days=80))
    assert "▼ 2 vs." in text_of(admin.get("/"))


def test_numbers_of_registrations_say_that_a_change_may_count_in_several(client: Client) -> None:
    words = "A change reported by several registrations is counted in each."
    client.force_login(a_person(role="Viewer"))
    at = stamp(NOW, hours=-1)
    delivered(an_update(an_element(FAILURE, 50, 5, at), delivered=stamp(NOW)), at=stamp(NOW))
    assert words not in text_of(client.get("/")), "before they are counted"
    count_days()
    assert text_of(client.get("/")).count(words) == 1
