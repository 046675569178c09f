"""The admin's lists and pages of what D&B says: quick, read-only, in words."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.test import Client
from django.utils import timezone

from core.admin.filters import key_at
from core.cached_counts import update_counts
from core.models import AuditEntry, CachedCount
from dnbmon_site.accounts.models import User
from monitoring.ingest.circuit_breaker import IN_A_ROW
from monitoring.jobs import count_days
from monitoring.models import (
    AlertRule,
    Change,
    DeadLetter,
    DeadLetterState,
    Delivery,
    DeliveryState,
    Element,
    Notification,
    Publication,
    Purpose,
    ReplayPass,
    Severity,
)
from portfolio.models import Company
from tests.builders.alerts import a_raised_alert
from tests.builders.channels import a_channel
from tests.builders.companies import DUNS, OTHER
from tests.builders.deliveries import a_call, delivered, some_news
from tests.builders.elements import STATUS, an_element
from tests.builders.notifications import a_notice, a_seed, an_update
from tests.builders.pages import text_of
from tests.builders.people import a_person
from tests.builders.queries import AtMost
from tests.builders.registrations import a_registration
from tests.builders.rules import a_rule
from tests.builders.times import MOMENT, stamp

pytestmark = pytest.mark.django_db

LISTS = [
    "/monitoring/change/",
    "/monitoring/notification/",
    "/monitoring/delivery/",
    "/monitoring/deadletter/",
    "/monitoring/replaypass/",
    "/monitoring/publication/",
    "/monitoring/dailystat/",
    "/monitoring/element/",
    "/portfolio/company/",
    "/portfolio/registration/",
    "/portfolio/contract/",
]


@pytest.mark.parametrize("path", LISTS)
def test_every_list_opens_with_few_queries(admin: Client, path: str, django_assert_max_num_queries: AtMost) -> None:
    delivery = some_news()
    count_days()
    now = timezone.now()
    ReplayPass.objects.create(
        registration=delivery.registration, purpose=Purpose.RECOVERY, replay_from=now, cursor=now, begun_at=now,
        begun_dnb_time=now,
    )  # fmt: skip
    with django_assert_max_num_queries(12):
        answer = admin.get(path)
    assert answer.status_code == 200
    assert "dm-empty" not in answer.content.decode()


@pytest.mark.parametrize("path", LISTS)
def test_an_empty_list_says_what_it_is_for(admin: Client, path: str) -> None:
    answer = admin.get(path)
    assert answer.status_code == 200
    assert "dm-empty" in answer.content.decode()


@pytest.mark.parametrize("path", [path for path in LISTS if "contract" not in path and "element" not in path])
def test_what_d_and_b_says_cannot_be_written(admin: Client, path: str) -> None:
    some_news()
    assert admin.get(f"{path}add/").status_code == 403


@pytest.mark.parametrize("model", [Change, Notification, Delivery])
def test_nothing_can_be_deleted(admin: Client, model: Any) -> None:
    some_news()
    row = model.objects.order_by("pk").first()
    path = f"/monitoring/{model._meta.model_name}/{row.pk}"
    assert admin.post(f"{path}/delete/", {"post": "yes"}).status_code == 403
    admin.post(f"{path}/change/", {"severity": 0})
    assert model.objects.filter(pk=row.pk).exists()


# Changes


def test_each_change_is_told_as_a_sentence(admin: Client) -> None:
    some_news()
    text = text_of(admin.get("/monitoring/change/"))
    assert "Critical Acme Ltd 804735132, Leeds Operating status Active → Out of business" in text
    assert f"merged into {DUNS}" in text


def test_the_list_of_changes_opens_without_noise(admin: Client) -> None:
    some_news()
    for query in ("", "?p=0", "?o=1"):
        found = admin.get(f"/monitoring/change/{query}").context["cl"].result_list
        assert len(found) == 4 and all(change.severity > 0 for change in found)
    page = admin.get("/monitoring/change/")
    assert 'href="/monitoring/change/?severity=all"' in page.content.decode()
    assert len(admin.get("/monitoring/change/?severity=all").context["cl"].result_list) == 5


@pytest.mark.parametrize(
    ("path", "hint"),
    [
        ("/", "Retry or dismiss them"),
        ("/", "manage.py worker"),
        ("/portfolio/company/", "Select companies to stop monitoring"),
        ("/portfolio/contract/year/", "schedule its removal"),
        ("/portfolio/registration/", "start, pull or pause them"),
        ("/portfolio/registration/{registration}/change/", "Adopt D&B's list"),
        ("/portfolio/syncrun/adopt/{registration}/", "then adopt that list"),
        ("/portfolio/syncrun/drift/{registration}/", "Adopt D&B's list"),
        ("/monitoring/alertrule/", "Test a rule on history before"),
        ("/monitoring/alertrule/{rule}/try/", "Edit rule"),
        ("/monitoring/channel/{channel}/change/", "Supported addresses"),
        ("/monitoring/deadletter/{unreadable}/change/", "Retry after an update"),
        ("/monitoring/element/", "Changes apply to data"),
    ],
)
def test_hints_name_only_what_the_reader_may_do(admin: Client, path: str, hint: str) -> None:
    keys = {
        "registration": some_news().registration_id,
        "rule": a_rule().pk,
        "channel": a_channel().pk,
        "unreadable": DeadLetter.objects.get().pk,
    }
    update_counts()
    CachedCount.objects.update(counted_at=timezone.now() - timedelta(hours=1))
    assert hint in text_of(admin.get(path.format(**keys)))
    become_viewer(admin)
    assert hint not in text_of(admin.get(path.format(**keys)))


@pytest.mark.parametrize(
    ("path", "hint"),
    [
        ("/portfolio/company/", "Start a registration"),
        ("/portfolio/registration/", "Choose “Find registrations”"),
        ("/portfolio/subject/", "Import a list"),
        ("/portfolio/subjectimport/", "Upload a list"),
        ("/monitoring/alertrule/", "restore the default rules above"),
        ("/monitoring/delivery/", "Start a registration"),
    ],
)
def test_empty_lists_name_only_what_the_reader_may_do(admin: Client, path: str, hint: str) -> None:
    AlertRule.objects.all().delete()
    assert hint in text_of(admin.get(path))
    become_viewer(admin)
    answer = admin.get(path)
    assert answer.status_code == 200 and hint not in text_of(answer)


def become_viewer(client: Client) -> None:
    viewer = User.objects.create_user("vic", is_staff=True)
    viewer.groups.set(Group.objects.filter(name="Viewer"))
    client.force_login(viewer)


def test_django_s_own_address_leads_to_the_front_page(admin: Client) -> None:
    assert admin.get("/admin/").headers["Location"] == "/"
    assert admin.get("/admin").headers["Location"] == "/admin/"


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("", 4),
        (f"severity={Severity.CRITICAL}", 2),
        ("kind=transferred", 1),
        (f"element={STATUS}", 1),
        ("element=dunsControlStatus.operatingStatus", 1),
        ("element=primaryName", 0),
        (f"q={DUNS}", 3),
        ("q=80-473-5132", 3),
        ("q=acme", 3),
        ("q=örsted", 2),
        ("q=nobody", 0),
        ("day_from=2026-01-08&day_to=2026-01-08", 1),
        ("day_from=2026-01-07", 5),
        ("day_to=2026-01-06", 0),
        ("day_from=rubbish", 5),
        ("registration=rubbish", 5),
        ("severity=rubbish", 5),
        ("severity=from-low", 4),
        ("severity=all", 5),
    ],
)
def test_changes_are_filtered_and_found(admin: Client, query: str, count: int) -> None:
    some_news()
    answer = admin.get(f"/monitoring/change/?{query}")
    assert answer.status_code == 200
    assert len(answer.context["cl"].result_list) == count


def test_changes_are_filtered_by_registration(admin: Client) -> None:
    some_news()
    other = a_registration("OTHER_01")
    for key, count in ((a_registration().pk, 5), (other.pk, 0)):
        assert len(admin.get(f"/monitoring/change/?registration={key}").context["cl"].result_list) == count


def test_keys_begin_with_the_time() -> None:
    some_news()
    change = Change.objects.get(element=STATUS)
    assert key_at(change.changed_at).int <= change.pk.int < key_at(change.changed_at + timedelta(milliseconds=1)).int


def test_a_list_never_counts_further_than_its_limit(admin: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("core.admin.base.COUNTED", 3)
    some_news()
    assert "3+ changes" in text_of(admin.get("/monitoring/change/"))


def test_the_page_of_a_change(admin: Client, django_assert_max_num_queries: AtMost) -> None:
    some_news()
    change = Change.objects.get(element=STATUS)
    with django_assert_max_num_queries(12):
        answer = admin.get(f"/monitoring/change/{change.pk}/change/")
    text = text_of(answer)
    assert "Active Out of business" in text and STATUS in text and "ACME_LOD_01" in text
    assert f"/monitoring/notification/{change.notification_id}/" in answer.content.decode()
    assert "No alert was raised about this change. Create an alert rule" in text


def test_the_page_of_a_change_leads_to_its_alert(admin: Client) -> None:
    alert = a_raised_alert()
    address = f"/monitoring/change/{Change.objects.get(element=STATUS).pk}/change/"
    page = admin.get(address)
    assert f"Alert of the rule “{alert.rule_name}”, raised just now" in text_of(page)
    assert f"/monitoring/alert/{alert.pk}/change/" in page.content.decode()
    reader = Client()
    reader.force_login(a_person("view_change", "view_company", username="eve"))
    without = text_of(reader.get(address))
    assert "Alert of the rule" not in without and "No alert was raised" not in without


def test_open_pages_ask_whether_anything_is_new(admin: Client, django_assert_max_num_queries: AtMost) -> None:
    assert admin.get("/monitoring/change/pulse/").json() == {"published": "0"}
    some_news()
    with django_assert_max_num_queries(3):
        answer = admin.get("/monitoring/change/pulse/")
    assert answer.json() == {"published": "1"}


# Notifications


def test_a_notification_is_shown_as_it_was_sent(admin: Client, django_assert_max_num_queries: AtMost) -> None:
    delivered('{"type":"UPDATE","organization":{"duns":"804735132"},"elements":[{"element":"organization.financials",'
              '"previous":1,"current":3.0251016094E8,"timestamp":"2026-01-07T01:23:13Z"}]}')  # fmt: skip
    notification = Notification.objects.get()
    with django_assert_max_num_queries(12):
        text = text_of(admin.get(f"/monitoring/notification/{notification.pk}/change/"))
    assert "3.0251016094E8" in text and "302,510,160.94" in text


def test_a_notification_tells_its_heaviest_changes_and_how_many_more(
    admin: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    elements = ("telephone", "primaryName", "websiteAddress", "registeredName", "numberOfEmployees")
    delivered(an_update(*(an_element(f"organization.{name}", "old", "new") for name in elements)))
    text = text_of(admin.get("/monitoring/notification/"))
    assert "and 2 more" in text and "already told" not in text
    monkeypatch.setattr("monitoring.ingest.admin.notifications.MOST", 4)
    page = text_of(admin.get(f"/monitoring/notification/{Notification.objects.get().pk}/change/"))
    assert "and 1 more" in page


def test_notifications_are_filtered_by_type(admin: Client) -> None:
    some_news()
    answer = admin.get("/monitoring/notification/?type=TRANSFER")
    assert [row.type for row in answer.context["cl"].result_list] == ["TRANSFER"]


def test_an_unknown_type_is_shown(admin: Client) -> None:
    delivered(a_notice("SOMETHING_NEW"))
    assert "SOMETHING_NEW" in text_of(admin.get("/monitoring/notification/"))


def test_hostile_text_stays_text(admin: Client) -> None:
    delivered(a_seed(primaryName="<script>alert(1)</script>"), an_update(an_element(current="<b onload=x>")))
    for path in ("/", "/monitoring/change/", "/monitoring/notification/", f"/portfolio/company/{DUNS}/change/"):
        page = admin.get(path).content.decode()
        assert "<script>alert(1)" not in page and "<b onload" not in page


# Companies


def test_the_page_of_a_company(admin: Client, django_assert_max_num_queries: AtMost) -> None:
    some_news()
    with django_assert_max_num_queries(22):
        text = text_of(admin.get(f"/portfolio/company/{DUNS}/change/"))
    assert "Out of business Acme Ltd D-U-N-S 804735132 · Leeds, United Kingdom" in text
    assert "8 January 2026 View as of this day Operating status Active → Out of business" in text
    assert "1 minor change" in text


def test_a_company_as_it_was(admin: Client) -> None:
    delivered(a_seed(delivered=stamp()), an_update(an_element(previous="Acme Ltd", timestamp=stamp(days=3))))
    assert "Primary name NEW NAME LTD" in text_of(admin.get(f"/portfolio/company/{DUNS}/change/"))
    then = text_of(admin.get(f"/portfolio/company/{DUNS}/change/?as_of={MOMENT:%Y-%m-%d}"))
    assert "Primary name Acme Ltd" in then and "as it was at the end of 7 January 2026" in then
    assert admin.get(f"/portfolio/company/{DUNS}/change/?as_of=rubbish&before=rubbish").status_code == 200


def test_an_unknown_company_is_not_found(admin: Client) -> None:
    assert admin.get("/portfolio/company/999999999/change/").status_code == 404


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("q=8047", [DUNS]),
        ("q=80-473-5132", [DUNS]),
        ("q=ACME", [DUNS]),
        ("q=cme", []),
        ("q=ÖRSTED", [OTHER]),
        ("country=ch", [OTHER]),
        ("country=CH&q=acme", []),
        ("", [DUNS, OTHER]),
        ("o=-1", [OTHER, DUNS]),
        ("o=2", [OTHER, DUNS]),
    ],
)
def test_companies_are_found(admin: Client, query: str, found: list[str]) -> None:
    some_news()
    answer = admin.get(f"/portfolio/company/?{query}")
    assert [row.pk for row in answer.context["cl"].result_list] == found


def test_ties_are_broken_in_the_direction_of_the_index(admin: Client) -> None:
    for number in range(5):
        Company.objects.create(duns=f"00000000{number}", name="Same", search_name="same", changed_at=MOMENT)
    for order, expected in (("6", sorted), ("-6", lambda keys: sorted(keys, reverse=True))):
        keys = [row.pk for row in admin.get(f"/portfolio/company/?o={order}").context["cl"].result_list]
        assert keys == expected(keys)


def test_the_search_of_every_page_finds_companies(admin: Client) -> None:
    some_news()
    answer = admin.get("/search/?s=acme&extended=1")
    assert f"/portfolio/company/{DUNS}/change/" in answer.content.decode()


# Deliveries and what could not be read


@pytest.mark.parametrize("state", list(DeliveryState))
def test_every_state_says_what_happens_next(admin: Client, state: str) -> None:
    delivery = some_news()
    Delivery.objects.filter(pk=delivery.pk).update(state=state, replay_from=MOMENT)
    text = text_of(admin.get(f"/monitoring/delivery/{delivery.pk}/change/"))
    assert ("will be published" if state == "ingested" else " ") in text and "Response as received" in text


def test_a_doubt_is_explained(admin: Client) -> None:
    delivery = some_news()
    Delivery.objects.filter(pk=delivery.pk).update(state="in_doubt", replay_from=MOMENT, ended_at=MOMENT)
    text = text_of(admin.get(f"/monitoring/delivery/{delivery.pk}/change/"))
    assert "A replay from 7 Jan 2026, 01:23" in text
    assert "started after 7 Jan 2026, 01:38" in text


def test_pages_of_a_replay_are_told_apart_by_their_number(admin: Client, django_assert_max_num_queries: AtMost) -> None:
    """Two of them may hold the same notifications and be read within one second."""
    registration, now = a_registration(), timezone.now()
    values = {"replay_from": now, "cursor": now, "begun_at": now, "purpose": Purpose.AUDIT}
    replay = ReplayPass.objects.create(registration=registration, **values)
    pages = [
        a_call("published", registration, source="replay", replay_pass=replay, turn=turn, called_at=now)
        for turn in (7, 8)
    ]
    with django_assert_max_num_queries(12):
        text = text_of(admin.get("/monitoring/delivery/"))
    assert text.index("page 2, read at") < text.index("page 1, read at")
    path = f"/monitoring/delivery/{pages[1].pk}/change/"
    assert "Replay of ACME_LOD_01 , page 2" in text_of(admin.get(path)).replace("01, page", "01 , page")
    assert "page 2, read at" in text_of(
        admin.get(f"/monitoring/delivery/?state=published&registration={registration.pk}")
    )


def test_a_delivery_leads_to_what_it_brought(admin: Client) -> None:
    delivery, other = some_news(), delivered(an_update(duns=OTHER))
    page = admin.get(f"/monitoring/delivery/{delivery.pk}/change/")
    brought = Notification.objects.filter(delivery=delivery)
    assert f"View notifications ({brought.count()})" in text_of(page) and "View changes (" in text_of(page)
    for path, rows in (("notification", brought), ("change", Change.objects.filter(delivery=delivery))):
        address = f"/monitoring/{path}/?delivery={delivery.pk}"
        assert address in page.content.decode()
        found = admin.get(address).context["cl"]
        assert {row.pk for row in found.result_list} == set(rows.values_list("pk", flat=True))
        assert [chip.name for chip in found.chips] == ["delivery"]
        assert len(admin.get(f"/monitoring/{path}/?delivery=x").context["cl"].result_list) > rows.count()
    assert Notification.objects.filter(delivery=other).exists()


def test_the_bytes_of_a_delivery_are_downloaded(admin: Client) -> None:
    answer = admin.get(f"/monitoring/delivery/{some_news().pk}/raw/")
    assert answer.content.startswith(b'{"transactionDetail"')
    assert answer["Content-Disposition"].startswith("attachment")


def test_an_unreadable_item_is_shown_and_downloaded(admin: Client) -> None:
    some_news()
    letter = DeadLetter.objects.get()
    assert letter.reason in admin.get(f"/monitoring/deadletter/{letter.pk}/change/").content.decode().replace(
        "&#x27;", "'"
    )
    assert admin.get(f"/monitoring/deadletter/{letter.pk}/raw/").content.startswith(b'{"type":"UPDATE"')


def test_an_unreadable_item_is_tried_again(admin: Client) -> None:
    some_news()
    letter = DeadLetter.objects.get()
    answer = admin.post(f"/monitoring/deadletter/{letter.pk}/do/try-again/", follow=True)
    assert "1 item still failed" in text_of(answer)
    letter.refresh_from_db()
    assert letter.tried_at is not None and letter.state == DeadLetterState.OPEN


def test_an_unreadable_item_is_set_aside(admin: Client) -> None:
    some_news()
    letter = DeadLetter.objects.get()
    admin.post(f"/monitoring/deadletter/{letter.pk}/do/set-aside/")
    letter.refresh_from_db()
    assert letter.state == DeadLetterState.SET_ASIDE


@pytest.mark.parametrize("action", ["try_selected_again", "set_selected_aside"])
def test_many_unreadable_items_are_dealt_with_at_once(admin: Client, action: str) -> None:
    delivered(*(f'{{"torn":{number}}}' for number in range(3)))
    keys = [str(key) for key in DeadLetter.objects.values_list("pk", flat=True)]
    admin.post("/monitoring/deadletter/", {"action": action, "_selected_action": keys})
    expected = {"tried_at__isnull": False} if action == "try_selected_again" else {"state": DeadLetterState.SET_ASIDE}
    assert DeadLetter.objects.filter(**expected).count() == 3


def test_a_get_changes_nothing(admin: Client) -> None:
    some_news()
    letter = DeadLetter.objects.get()
    assert admin.get(f"/monitoring/deadletter/{letter.pk}/do/set-aside/").status_code == 405


def test_who_may_only_look_cannot_act(client: Client) -> None:
    some_news()
    viewer = User.objects.create_user("bob", is_staff=True)
    client.force_login(viewer)
    letter = DeadLetter.objects.get()
    assert client.post(f"/monitoring/deadletter/{letter.pk}/do/set-aside/").status_code == 403
    assert client.get("/monitoring/change/").status_code == 403
    assert client.get(f"/portfolio/company/{DUNS}/change/").status_code == 403


# Elements


def test_words_and_weights_are_edited_in_the_list(admin: Client) -> None:
    delivered(an_update(an_element()))
    form = {
        "form-TOTAL_FORMS": 1, "form-INITIAL_FORMS": 1, "form-0-path": "organization.primaryName",
        "form-0-label": "Firm", "form-0-severity": Severity.HIGH, "form-0-muted": "on", "_save": "Save",
    }  # fmt: skip
    assert admin.post("/monitoring/element/", form).status_code == 302
    element = Element.objects.get()
    assert (element.label, element.severity, element.muted) == ("Firm", Severity.HIGH, True)
    entry = AuditEntry.objects.get()
    assert '"label": "Firm"' in entry.after and '"muted": false' in entry.before
    assert Change.objects.get().severity == Severity.MEDIUM


def test_publications_are_numbered(admin: Client) -> None:
    some_news()
    assert Publication.objects.get().sequence == 1
    assert IN_A_ROW > 1


def test_companies_of_several_countries_are_found_at_once(admin: Client) -> None:
    for duns, country in ((DUNS, "DE"), (OTHER, "GB"), ("012345678", "FR")):
        Company.objects.create(duns=duns, name=country, search_name=country, country=country)
    for query in ("country=DE&country=GB", "country=DE,GB"):
        page = admin.get(f"/portfolio/company/?{query}")
        assert {row.country for row in page.context["cl"].result_list} == {"DE", "GB"}
    assert "Germany, United Kingdom" in text_of(admin.get("/portfolio/company/?country=DE&country=GB"))


def test_the_filter_offers_the_countries_of_companies_and_those_in_the_address(admin: Client) -> None:
    for number, country in enumerate(("DE", "GB", "DE", "")):
        Company.objects.create(duns=f"{number:09}", name="x", search_name="x", country=country)

    def offered(query: str = "") -> list[str]:
        specs = admin.get(f"/portfolio/company/{query}").context["cl"].filter_specs
        (countries,) = (spec for spec in specs if spec.parameter_name == "country")
        return [code for code, _ in countries.lookup_choices]

    assert len(offered()) > 200
    update_counts("countries")
    assert offered() == ["DE", "GB", "unknown"]
    assert offered("?country=FR") == ["FR", "DE", "GB", "unknown"]


def test_the_list_of_changes_says_that_noise_is_hidden_and_what_a_baseline_is(admin: Client) -> None:
    some_news()
    text = text_of(admin.get("/monitoring/change/"))
    assert "noise is hidden" in text and "as it does when a registration begins to monitor it" in text
    assert "noise is hidden" not in text_of(admin.get("/monitoring/change/?severity=all"))
