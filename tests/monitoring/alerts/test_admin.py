"""The inbox, the rules' form with its mistakes, the trial, channels and who may do what with them."""

import re
import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from core.admin.audit_differences import differences
from core.cached_counts import update_counts
from core.models import AuditEntry
from dnbmon_site.accounts.models import User
from monitoring.alerts.actions import acknowledge, close
from monitoring.alerts.admin import search
from monitoring.alerts.default_rules import is_changed
from monitoring.alerts.own_alerts import own_alerts
from monitoring.alerts.undo import columns_of, undo, undo_token
from monitoring.consumers.proposals import read_publications
from monitoring.models import Alert, AlertComment, AlertKind, AlertRule, AlertState, Channel, Kind, RuleChannel
from monitoring.outbox.addresses import address_of
from portfolio.exposure.refresh import refresh_columns
from portfolio.models import Proposal
from portfolio.proposals.decide import dismiss
from tests.builders.alerts import a_raised_alert, an_alert, raised
from tests.builders.channels import a_channel, channel_form
from tests.builders.companies import DUNS, OTHER, a_company
from tests.builders.deliveries import delivered
from tests.builders.elements import STATUS
from tests.builders.exposures import exposure
from tests.builders.notifications import a_seed, a_transfer, news
from tests.builders.pages import text_of
from tests.builders.people import a_person, an_actor, an_alert_viewer
from tests.builders.queries import AtMost
from tests.builders.rules import a_rule, rule_form
from tests.builders.subjects import a_subject
from tests.builders.times import now_stamp, soon

NOISE = {"reason": "noise", "text": "A branch."}
pytestmark = pytest.mark.django_db


# The inbox


@pytest.mark.parametrize("path", ["/monitoring/alert/", "/monitoring/alertrule/", "/monitoring/channel/"])
def test_every_list_opens_with_few_queries(ann: Client, path: str, django_assert_max_num_queries: AtMost) -> None:
    a_raised_alert()
    a_channel(*AlertRule.objects.all())
    with django_assert_max_num_queries(12):
        answer = ann.get(path)
    assert answer.status_code == 200
    assert "dm-empty" not in answer.content.decode()


def test_a_summary_of_new_companies_states_how_many_they_are(ann: Client) -> None:
    an_alert(company_id=None, kind=AlertKind.BASELINE, total=13, title="13 companies added: 2 × High risk")
    page = ann.get("/monitoring/alert/").content.decode()
    assert re.search(r"field-company_name[^>]*>\s*13 companies\s*<", page), page


def test_the_form_of_a_rule_labels_its_conditions_and_explains_change_types(admin: Client) -> None:
    page = admin.get("/monitoring/alertrule/add/").content.decode()
    assert re.search(r'<span class="dm-place">Condition</span><select[^>]*><option value="">Choose…</option>', page)
    assert re.search(r'<span class="dm-place">Value</span><input[^>]*placeholder="Such as', page)
    assert "D&amp;B took it off the list" in page and 'use/glossary.md#left"' in page


def test_the_inbox_holds_what_is_open_and_filters_show_the_rest(ann: Client) -> None:
    alert = a_raised_alert()
    shown = text_of(ann.get("/monitoring/alert/"))
    assert "Out of business" in shown and "What does “alert” mean?" in shown and "It is due when" in shown
    Alert.objects.update(state=AlertState.CLOSED)
    assert "No open alerts" in text_of(ann.get("/monitoring/alert/"))
    for query in ("state=closed", "state=all", f"state=all&rule={alert.rule_id}", "state=all&severity=4"):
        assert "Operating status" in text_of(ann.get(f"/monitoring/alert/?{query}")), query
    assert "No matching alerts" in text_of(ann.get("/monitoring/alert/?state=all&severity=2"))


def test_a_company_without_a_name_has_its_number_once(ann: Client) -> None:
    alert = an_alert(title=f"{DUNS}: operating status Active → Out of business")
    assert f"Name not yet known {DUNS}" in text_of(ann.get("/monitoring/alert/"))
    assert f"Name not yet known {DUNS} Operating status" in text_of(ann.get(f"/monitoring/alert/{alert.pk}/change/"))


@pytest.mark.parametrize("query", ["q=804735132", "q=acme", "assignee=nobody", "assignee=", "state=bogus", "rule=x"])
def test_search_and_odd_filters(ann: Client, query: str) -> None:
    a_raised_alert()
    assert "Acme Ltd" in text_of(ann.get(f"/monitoring/alert/?{query}"))


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("merged", {"title"}),
        ("MERGED into", {"title"}),
        ("debarment", {"rule"}),
        ("debarment merged", set()),
        ("summary", {"kind"}),
        ("Acme", {"company"}),
        ("nothing like it", set()),
    ],
)
def test_alerts_are_found_by_words_of_title_rule_and_type_and_by_company(
    ann: Client, words: str, found: set[str], django_assert_max_num_queries: AtMost
) -> None:
    a_company(DUNS, "Acme Ltd")
    keys = {
        an_alert(company_id=OTHER, title="Merged into another company").pk: "title",
        an_alert(company_id=OTHER, rule_name="Government debarment").pk: "rule",
        an_alert(company_id=OTHER, kind=AlertKind.FLOOD).pk: "kind",
        an_alert(company_id=DUNS).pk: "company",
    }
    with django_assert_max_num_queries(13):
        answer = ann.get("/monitoring/alert/", {"q": words})
    assert {keys[row.pk] for row in answer.context["cl"].result_list} == found


def test_words_are_looked_for_in_the_latest_alerts_only(ann: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(search, "SEARCHED", 2)
    merged = [an_alert(number, title="Merged") for number in range(4)]
    rows = ann.get("/monitoring/alert/?q=merged").context["cl"].result_list
    assert {row.pk for row in rows} == {one.pk for one in merged[:3]}


def test_mine_and_of_others(ann: Client) -> None:
    a_raised_alert()
    Alert.objects.update(assignee=User.objects.get(username="ann"))
    assert "Acme Ltd" in text_of(ann.get("/monitoring/alert/?assignee=me"))
    assert "No matching alerts" in text_of(ann.get("/monitoring/alert/?assignee=nobody"))


# The page of one


def test_an_alert_says_what_changed_why_and_what_else(ann: Client, django_assert_max_num_queries: AtMost) -> None:
    alert = a_raised_alert()
    with django_assert_max_num_queries(17):
        text = text_of(ann.get(f"/monitoring/alert/{alert.pk}/change/"))
    assert "Operating status Active → Out of business" in text
    assert "Operating status: Active → Out of business (changes to Out of business)" in text
    assert "Other recent changes" in text
    assert "Telephone" in text


def test_an_alert_about_a_merger_leads_to_its_proposal(ann: Client) -> None:
    a_company(OTHER, "New Ltd")
    a_subject(DUNS)
    a_rule(kinds=Kind.TRANSFERRED.value)
    delivered(a_seed(DUNS, delivered=now_stamp(days=-1)), a_transfer(DUNS, to=OTHER, delivered=now_stamp()))
    raised()
    page = f"/monitoring/alert/{Alert.objects.get().pk}/change/"
    before = text_of(ann.get(page))
    assert "Find the surviving D-U-N-S number" in before and "Review proposal" not in before
    read_publications(soon())
    proposal, answer = Proposal.objects.get(), ann.get(page)
    text = text_of(answer)
    assert f"Review the proposal: replace it with New Ltd ({OTHER})." in text
    assert f"/portfolio/proposal/{proposal.pk}/change/" in answer.content.decode()
    assert "Request monitoring for the surviving number" not in text and "Update your supplier" in text
    dismiss([proposal], by=an_actor("ann"), note="No.")
    assert "Find the surviving D-U-N-S number" in text_of(ann.get(page))


def test_acting_on_an_alert(ann: Client) -> None:
    alert = a_raised_alert()
    ann_herself = User.objects.get(username="ann")

    def do(action: str, **data: str) -> None:
        answer = ann.post(f"/monitoring/alert/{alert.pk}/do/{action}/", data)
        assert answer.status_code == 302
        alert.refresh_from_db()

    do("acknowledge")
    assert (alert.state, alert.acknowledged_by) == (AlertState.ACKNOWLEDGED, "ann")
    do("assign", person=str(ann_herself.pk))
    assert alert.assignee == ann_herself
    do("assign", person="")
    assert Alert.objects.filter(pk=alert.pk, assignee=None).exists()
    do("comment", text="Called them.\n<b>bold</b>")
    do("comment", text="   ")
    assert AlertComment.objects.get().by == "ann"
    assert "&lt;b&gt;bold" in ann.get(f"/monitoring/alert/{alert.pk}/change/").content.decode()
    do("close", reason="known", text="Known since March.")
    assert (alert.state, alert.closed_by, alert.close_reason) == (AlertState.CLOSED, "ann", "known")
    page = text_of(ann.get(f"/monitoring/alert/{alert.pk}/change/"))
    assert ": Already known" in page and "Known since March." in page
    do("open")
    assert (alert.state, alert.closed_at, alert.close_reason) == (AlertState.NEW, None, "")


def test_closing_asks_why_and_keeps_what_was_typed(ann: Client) -> None:
    alert = a_raised_alert()
    asked = ann.post(f"/monitoring/alert/{alert.pk}/do/close/", {"text": "Called them."})
    assert f"{DUNS}) Operating status Active → Out of business" in text_of(asked)
    assert "Not relevant" in text_of(asked) and "Called them." in text_of(asked) and 'value="wrong_data"' in asked.text
    assert "Reason *" in text_of(asked) and "Findings or actions *" in text_of(asked)
    assert not re.search("<input[^>]*checked", asked.text.split('id="id_text"')[0].split("<fieldset")[1])
    alert.refresh_from_db()
    assert alert.state == AlertState.NEW
    form = {"text": "Called them.", "reason": "acted"}
    answer = ann.post(f"/monitoring/alert/{alert.pk}/do/close/", form, follow=True)
    text = text_of(answer)
    assert "Alert closed. View closed alerts Reopen" in text and Alert.objects.filter(closed_by="ann").exists()
    assert AlertComment.objects.get().text == "Closed: Acted on. Called them."
    answer = ann.post(f"/monitoring/alert/{alert.pk}/do/undo/", undo_form(answer), follow=True)
    alert.refresh_from_db()
    assert "Alert reopened." in text_of(answer) and (alert.state, alert.close_reason) == (AlertState.NEW, "")


def test_the_list_says_that_it_leaves_out_closed_alerts(ann: Client) -> None:
    a_raised_alert()
    page = ann.get("/monitoring/alert/?severity=4")
    assert "State: Open" in text_of(page) and 'href="?severity=4&amp;state=all"' in page.text
    assert "State: Open" not in text_of(ann.get("/monitoring/alert/?state=all"))


def test_an_acknowledged_alert_is_reopened_for_as_long_as_it_is_acknowledged(ann: Client) -> None:
    alert = a_raised_alert()
    page = f"/monitoring/alert/{alert.pk}/change/"
    acknowledge([alert.pk], by="carl")
    assert f"/monitoring/alert/{alert.pk}/do/open/" in ann.get(page).content.decode()
    answer = ann.post(f"/monitoring/alert/{alert.pk}/do/open/", follow=True)
    assert "Alert reopened." in text_of(answer)
    assert f"/monitoring/alert/{alert.pk}/do/open/" not in ann.get(page).content.decode()
    alert.refresh_from_db()
    assert (alert.state, alert.acknowledged_by, alert.acknowledged_at) == (AlertState.NEW, "", None)
    entry = AuditEntry.objects.get(action="alert.reopen")
    assert (entry.actor, '"acknowledged_by": "carl"' in entry.before) == ("ann", True)
    ann.post(f"/monitoring/alert/{alert.pk}/do/undo/", undo_form(answer))
    alert.refresh_from_db()
    assert (alert.state, alert.acknowledged_by) == (AlertState.ACKNOWLEDGED, "carl")


def test_what_is_no_act_or_no_person_is_not_found(ann: Client) -> None:
    alert = a_raised_alert()
    assert ann.post(f"/monitoring/alert/{alert.pk}/do/sell/").status_code == 404
    for person in ("nobody", "01994a00-0000-7000-8000-000000000000"):
        assert ann.post(f"/monitoring/alert/{alert.pk}/do/assign/", {"person": person}).status_code == 404
    assert ann.get(f"/monitoring/alert/{alert.pk}/do/close/").status_code == 405


def test_an_alert_explains_itself_and_is_taken_with_one_click(ann: Client) -> None:
    alert = a_raised_alert()
    page = ann.get(f"/monitoring/alert/{alert.pk}/change/")
    text = text_of(page)
    for words in ("What this means", "What to do next", "Assign to me"):
        assert words in text
    herself = User.objects.get(username="ann")
    assert f'name="person" value="{herself.pk}"' in page.content.decode()
    ann.post(f"/monitoring/alert/{alert.pk}/do/assign/", {"person": str(herself.pk)})
    assert "Assign to me" not in text_of(ann.get(f"/monitoring/alert/{alert.pk}/change/"))


def undo_form(answer: Any) -> dict[str, str]:
    found = re.search(r'name="token" value="([^"]+)"', answer.content.decode())
    return {"token": found[1]} if found else {}


@pytest.mark.parametrize("action", ["acknowledge", "close", "assign"])
def test_an_act_is_undone_with_the_button_of_its_message(ann: Client, action: str) -> None:
    alert = a_raised_alert()
    before = Alert.objects.filter(pk=alert.pk).values()[0]
    herself = User.objects.get(username="ann")
    form = {"person": str(herself.pk), **NOISE}
    answer = ann.post(f"/monitoring/alert/{alert.pk}/do/{action}/", form, follow=True)
    assert Alert.objects.filter(pk=alert.pk).values()[0] != before
    form = undo_form(answer)
    words = "Alert reopened." if action == "close" else "Undone."
    assert words in text_of(ann.post(f"/monitoring/alert/{alert.pk}/do/undo/", form, follow=True))
    assert Alert.objects.filter(pk=alert.pk).values()[0] == before
    herself.refresh_from_db()
    assert own_alerts(herself)["open"] == 0


def test_undoing_a_close_says_so_after_what_the_close_said(ann: Client) -> None:
    alert = a_raised_alert()
    form = undo_form(ann.post(f"/monitoring/alert/{alert.pk}/do/close/", NOISE, follow=True))
    ann.post(f"/monitoring/alert/{alert.pk}/do/undo/", form)
    last = AlertComment.objects.order_by("-id")[0]
    assert (last.text, last.by) == ("Undone: open again.", "ann")
    ann.post(f"/monitoring/alert/{alert.pk}/do/undo/", form)
    assert AlertComment.objects.filter(text__startswith="Undone").count() == 1, "nothing was undone the second time"


def test_reopening_is_a_comment_and_so_is_undoing_it(ann: Client) -> None:
    alert = a_raised_alert()
    close([alert.pk], by="bob", reason="noise", text="Known.")
    form = undo_form(ann.post(f"/monitoring/alert/{alert.pk}/do/open/", follow=True))
    ann.post(f"/monitoring/alert/{alert.pk}/do/undo/", form)
    comments = AlertComment.objects.order_by("id").values_list("text", "by")
    assert list(comments) == [
        ("Closed: Not relevant. Known.", "bob"),
        ("Reopened.", "ann"),
        ("Undone: closed again.", "ann"),
    ]


def test_undoing_what_wrote_no_comment_writes_none(ann: Client) -> None:
    alert = a_raised_alert()
    form = undo_form(ann.post(f"/monitoring/alert/{alert.pk}/do/acknowledge/", follow=True))
    ann.post(f"/monitoring/alert/{alert.pk}/do/undo/", form)
    assert not AlertComment.objects.exists()


def test_what_somebody_did_since_is_not_undone(ann: Client) -> None:
    alert = a_raised_alert()
    form = undo_form(ann.post(f"/monitoring/alert/{alert.pk}/do/acknowledge/", follow=True))
    close([alert.pk], by="carl")
    assert "cannot be undone" in text_of(ann.post(f"/monitoring/alert/{alert.pk}/do/undo/", form, follow=True))
    alert.refresh_from_db()
    assert (alert.state, alert.closed_by) == (AlertState.CLOSED, "carl")


def test_nothing_is_undone_for_others_for_other_alerts_or_without_a_token(ann: Client) -> None:
    alert = a_raised_alert()
    token = undo_form(ann.post(f"/monitoring/alert/{alert.pk}/do/close/", NOISE, follow=True))["token"]
    herself = User.objects.get(username="ann")
    assert not undo(alert.pk, token, by=User(username="eve"))
    assert not undo(uuid.uuid4(), token, by=herself)
    assert not undo(alert.pk, token[:-2], by=herself)
    alert.refresh_from_db()
    assert alert.state == AlertState.CLOSED


def test_an_act_that_changed_nothing_offers_no_undo(ann: Client) -> None:
    alert = a_raised_alert()
    ann.post(f"/monitoring/alert/{alert.pk}/do/close/", NOISE, follow=True)
    again = ann.post(f"/monitoring/alert/{alert.pk}/do/close/", NOISE, follow=True)
    assert "updated in the meantime" in text_of(again)
    assert undo_form(again) == {}


def test_an_act_in_the_same_moment_as_another_offers_no_undo() -> None:
    alert = a_raised_alert()
    before = columns_of(alert.pk)
    acknowledge([alert.pk], by="carl")
    close([alert.pk], by="ann")
    assert undo_token(alert.pk, "close", before, "ann") == ""


def copies_of(alert: Alert, *hours: int, **fields: Any) -> list[Alert]:
    """More alerts like it, raised so many hours before it."""
    rows = []
    for number in hours:
        at = alert.raised_at - timedelta(hours=number)
        columns = {field.attname: getattr(alert, field.attname) for field in Alert._meta.fields}
        rows.append(Alert.objects.create(**{**columns, "id": uuid.uuid4(), "raised_at": at, **fields}))
    return rows


def test_next_and_previous_follow_the_list_that_the_page_was_opened_from(ann: Client) -> None:
    alert = a_raised_alert()
    Alert.objects.exclude(pk=alert.pk).delete()
    older, oldest = copies_of(alert, 1, 3)
    (closed,) = copies_of(alert, 2, state=AlertState.CLOSED)

    def links(row: Alert, query: str = "") -> dict[str, str]:
        page = ann.get(f"/monitoring/alert/{row.pk}/change/{query}").content.decode()
        return dict(re.findall(r'rel="(prev|next)" href="/monitoring/alert/([^/]+)/', page))

    assert links(alert) == {"next": str(older.pk)}
    assert links(older) == {"prev": str(alert.pk), "next": str(oldest.pk)}
    everything = "?_changelist_filters=state%3Dall"
    assert links(older, everything) == {"prev": str(alert.pk), "next": str(closed.pk)}
    assert links(closed, "?_changelist_filters=state%3Dclosed") == {}
    assert links(older, "?_changelist_filters=assignee%3Dme%26rule%3Dx") == {}
    answer = ann.post(f"/monitoring/alert/{older.pk}/do/close/{everything}", NOISE)
    assert answer.headers["Location"].endswith(everything)


def test_a_summary_has_a_page_too(ann: Client) -> None:
    a_rule(elements=STATUS, conditions="becomes 403")
    delivered(a_seed(DUNS, dunsControlStatus={"operatingStatus": {"dnbCode": 403, "description": "Out of business"}}))
    raised()
    text = text_of(ann.get(f"/monitoring/alert/{Alert.objects.get().pk}/change/"))
    assert "1 of 1 new companies" in text
    assert "Acme Ltd, 804735132: Operating status: Out of business" in text


def test_who_may_only_look_cannot_act() -> None:
    alert = a_raised_alert()
    viewer = an_alert_viewer()
    page = viewer.get(f"/monitoring/alert/{alert.pk}/change/")
    assert page.status_code == 200
    assert "/do/" not in page.content.decode()
    assert viewer.post(f"/monitoring/alert/{alert.pk}/do/close/").status_code == 403
    assert viewer.get("/monitoring/alertrule/").status_code == 403


# Rules


def test_a_rule_is_made_tried_and_switched_on(ann: Client) -> None:
    delivered(a_seed(DUNS, delivered=now_stamp(days=-3)))
    delivered(news("organization.primaryName", "Acme Ltd", "Acme Ltd (in liquidation)"))
    AlertRule.objects.all().delete()
    channel = a_channel()
    answer = ann.post("/monitoring/alertrule/add/", rule_form(channels=[str(channel.pk)], kinds=["element", "deleted"]))
    rule = AlertRule.objects.get()
    assert (rule.conditions, rule.kinds, rule.active) == ("contains in liquidation", "element,deleted", False)
    assert RuleChannel.objects.get().channel == channel
    assert answer.headers["Location"] == f"/monitoring/alertrule/{rule.pk}/try/"
    page = text_of(ann.get(answer.headers["Location"]))
    assert "1 alert in 30 days" in page
    assert "Acme Ltd (in liquidation)" in page and "Exposure today: Unknown" in page
    exposure(f"{DUNS};1200")
    refresh_columns()
    assert "Exposure today: EUR 1,200" in text_of(ann.get(answer.headers["Location"]))
    other = Client()
    other.force_login(a_person("view_alertrule", username="eve"))
    page = text_of(other.get(answer.headers["Location"]))
    assert "Acme Ltd (in liquidation)" in page and "Exposure today" not in page
    ann.post(f"/monitoring/alertrule/{rule.pk}/do/on/")
    rule.refresh_from_db()
    assert rule.active
    assert set(AuditEntry.objects.values_list("action", flat=True)) >= {"rule.made", "rule.on"}


def test_a_new_rule_starts_from_a_default_one_that_plain_words_find(ann: Client) -> None:
    AlertRule.objects.filter(default_key="score-worse").update(description="As an earlier version had it.")
    for words in ("failure score drops", "worse", "insolvency"):
        found = [row.default_key for row in ann.get("/monitoring/alertrule/", {"q": words}).context["cl"].result_list]
        assert ("insolvency" if words == "insolvency" else "score-worse") in found and len(found) < 4
    start = "/monitoring/alertrule/add/?from=score-worse"
    assert f'href="{start}"' in ann.get("/monitoring/alertrule/add/").text
    page = ann.get(start)
    assert 'value="Failure or delinquency score declined (copy)"' in page.text
    assert '<option value="gets worse" selected' in page.text
    assert '<option value="organization.dnbAssessment.failureScore" selected>' in page.text
    gone = ann.get("/monitoring/alertrule/add/?from=gone").context["adminform"].form.initial
    assert gone["kinds"] == ["deleted", "transferred"]


def test_a_mistake_is_shown_at_its_field_with_its_place(ann: Client) -> None:
    before = AlertRule.objects.count()
    condition = {"conditions_operator": ["rises by"], "conditions_value": ["much"]}
    wrong = rule_form(element_paths="primaryName\nlegal events", **condition)
    text = text_of(ann.post("/monitoring/alertrule/add/", wrong))
    assert "Line 2, character 6" in text
    assert "Line 1, character 10: “much” is not a number" in text
    wrong = rule_form(companies="12345", countries="Germany", quiet_zone="X")
    text = text_of(ann.post("/monitoring/alertrule/add/", wrong))
    for words in ("Entry 1, “12345”", "Germany is not one of the available choices", "“X” is not a time zone"):
        assert words in text
    assert AlertRule.objects.count() == before


def test_a_rule_is_changed_and_keeps_channels_of_others(ann: Client) -> None:
    rule = AlertRule.objects.get(default_key="gone")
    other = a_channel(rule, person=User.objects.create_user("carl"))
    mine = a_channel()
    page = ann.get(f"/monitoring/alertrule/{rule.pk}/change/")
    assert page.status_code == 200
    fields = rule_form(
        kinds=["deleted"], element_paths="", conditions_operator=[], conditions_value=[], channels=[str(mine.pk)]
    )
    ann.post(f"/monitoring/alertrule/{rule.pk}/change/", fields)
    rule.refresh_from_db()
    assert rule.kinds == "deleted"
    assert set(RuleChannel.objects.values_list("channel", flat=True)) == {other.pk, mine.pk}
    assert rule.active, "saving the form switches nothing off"
    ann.post(f"/monitoring/alertrule/{rule.pk}/change/", {**fields, "countries": ["DE"], "severity": 2, "channels": []})
    entry = AuditEntry.objects.filter(action="rule.changed").latest("id")
    assert sorted(differences(entry)) == [
        ("channels", "Mail (shared)", ""),
        ("countries", "", "Germany"),
        ("severity", "High", "Medium"),
    ], "what changed, in the words of the form, without channels of others"


def test_a_deleted_rule_is_in_the_audit_log_with_its_content(ann: Client) -> None:
    rule = AlertRule.objects.create(name="Too old", countries="DE", kinds="deleted", severity=3)
    assert ann.post(f"/monitoring/alertrule/{rule.pk}/delete/", {"post": "yes"}).status_code == 302
    entry = AuditEntry.objects.get(action="rule.deleted")
    assert entry.summary == "Alert rule Too old deleted"
    assert {("countries", "Germany", ""), ("severity", "High", "")} <= set(differences(entry))


def test_elements_are_picked_by_name_and_paths_are_kept(ann: Client) -> None:
    picked = ["organization.primaryAddress", "organization.dnbAssessment.failureScore"]
    ann.post("/monitoring/alertrule/add/", rule_form(element_paths="legalEvents.*", element_paths_picked=picked))
    rule = AlertRule.objects.get(name="Names")
    assert rule.elements.splitlines() == ["legalEvents.*", *picked]
    page = ann.get(f"/monitoring/alertrule/{rule.pk}/change/").content.decode()
    assert re.search(r'<option value="organization.primaryAddress" selected>\s*Primary address', page)
    assert re.search(r"<textarea[^>]*>\s*legalEvents\.\*</textarea>", page)
    for group in ("Company data", "Scores &amp; ratings", "Legal events", "Ownership", "Financials"):
        assert f'<optgroup label="{group}">' in page


def test_a_condition_on_true_is_yes_on_the_page_and_true_in_the_rule(ann: Client) -> None:
    rule = AlertRule.objects.get(default_key="insolvency")
    page = ann.get(f"/monitoring/alertrule/{rule.pk}/change/")
    assert "changes to yes" in text_of(ann.get("/monitoring/alertrule/"))
    assert '<option value="becomes" selected>changes to …</option>' in page.content.decode()
    assert 'name="conditions_value" value="yes"' in page.content.decode()


def test_a_default_rule_saved_as_it_is_stays_a_default(ann: Client) -> None:
    rule = AlertRule.objects.get(default_key="insolvency")
    lines = rule.elements.splitlines()
    fields = {name: getattr(rule, name) for name in ("name", "description", "severity", "combination", "grouping")}
    operators = {"conditions_operator": ["becomes"], "conditions_value": ["Yes"]}
    picked = {"element_paths": "", "element_paths_picked": lines[::-1], "active": "on", "notify_owner": "on"}
    ann.post(f"/monitoring/alertrule/{rule.pk}/change/", rule_form(**fields, **operators, **picked))
    rule.refresh_from_db()
    assert rule.elements.splitlines() == lines
    assert not is_changed(rule)


def test_countries_are_picked(ann: Client) -> None:
    ann.post("/monitoring/alertrule/add/", rule_form(countries=["DE", "AT"]))
    rule = AlertRule.objects.get(name="Names")
    assert set(rule.countries.split(",")) == {"DE", "AT"}
    page = ann.get(f"/monitoring/alertrule/{rule.pk}/change/").content.decode()
    assert re.search(r'<option value="DE" selected>\s*Germany', page)


def test_users_are_picked(ann: Client) -> None:
    ann.post("/monitoring/alertrule/add/", rule_form(notify_users=["ann"]))
    rule = AlertRule.objects.get(name="Names")
    assert rule.notify_users == "ann"
    page = ann.get(f"/monitoring/alertrule/{rule.pk}/change/").content.decode()
    assert re.search(r'<option value="ann" selected>', page)
    assert ann.post("/monitoring/alertrule/add/", rule_form(name="Else", notify_users=["gone"])).status_code == 200


def test_users_who_cannot_be_notified_are_named_with_the_reason(ann: Client) -> None:
    a_person(username="vic", role="Viewer")
    a_person(username="norma")
    page = ann.get("/monitoring/alertrule/add/")
    assert re.search(r'<option value="vic">', page.text), "a viewer may view alerts"
    assert "Not listed, because their roles do not permit viewing alerts: norma." in text_of(page)
    assert "Not listed, because their roles do not permit work on alerts: norma, vic." in text_of(page)


def test_own_rules_stand_apart_from_shared_and_default_ones(ann: Client) -> None:
    AlertRule.objects.create(name="Of Ann", created_by="ann")
    AlertRule.objects.create(name="Of Carl", created_by="carl")
    AlertRule.objects.filter(default_key="gone").update(created_by="ann")
    for origin, name in (("mine", "Of Ann"), ("shared", "Of Carl"), ("default", "Deleted or merged at D&B")):
        rows = ann.get(f"/monitoring/alertrule/?origin={origin}").context["cl"].result_list
        assert name in [row.name for row in rows]
        assert {"Of Ann", "Of Carl", "Deleted or merged at D&B"} & {row.name for row in rows} == {name}


def test_a_changed_rule_of_the_pack_says_so_and_is_reset(ann: Client) -> None:
    rule = AlertRule.objects.get(default_key="gone")
    AlertRule.objects.filter(pk=rule.pk).update(name="Its earlier name")
    assert "Customized" not in text_of(ann.get(f"/monitoring/alertrule/{rule.pk}/change/"))
    AlertRule.objects.filter(pk=rule.pk).update(name="Mine", created_by="ann")
    assert "Customized" in text_of(ann.get(f"/monitoring/alertrule/{rule.pk}/change/"))
    ann.post(f"/monitoring/alertrule/{rule.pk}/do/reset/")
    rule.refresh_from_db()
    assert rule.name == "Deleted or merged at D&B"


def test_deleted_rules_of_the_pack_are_put_back_and_alerts_outlive_their_rule(ann: Client) -> None:
    alert = a_raised_alert()
    assert alert.rule is not None
    alert.rule.delete()
    assert ann.post("/monitoring/alertrule/restore/").status_code == 302
    assert AlertRule.objects.filter(default_key="gone").exists()
    assert "Out of business" in text_of(ann.get(f"/monitoring/alert/{alert.pk}/change/"))


def test_rules_are_switched_in_bulk(ann: Client) -> None:
    keys = [str(key) for key in AlertRule.objects.values_list("pk", flat=True)[:2]]
    ann.post("/monitoring/alertrule/", {"action": "switch_selected_off", "_selected_action": keys})
    assert AlertRule.objects.filter(active=False).count() == 2
    ann.post("/monitoring/alertrule/", {"action": "switch_selected_on", "_selected_action": keys})
    assert not AlertRule.objects.filter(active=False).exists()


def test_a_broken_rule_shows_its_mistake_instead_of_a_trial(ann: Client) -> None:
    rule = AlertRule.objects.create(name="Broken", elements="..")
    assert "Enter a name between" in text_of(ann.get(f"/monitoring/alertrule/{rule.pk}/try/"))


# Channels


def test_a_channel_is_made_and_its_address_never_shown_again(ann: Client) -> None:
    secret = "json://ann:very-secret@example.com/hook"
    ann.post("/monitoring/channel/add/", channel_form(address=secret, frequency="daily", zone="Europe/Berlin"))
    channel = Channel.objects.get()
    assert address_of(channel) == secret
    assert channel.next_digest_at is not None
    for path in ("/monitoring/channel/", f"/monitoring/channel/{channel.pk}/change/"):
        assert "very-secret" not in ann.get(path).content.decode()
    assert "very-secret" not in str(list(AuditEntry.objects.values()))
    ann.post(f"/monitoring/channel/{channel.pk}/change/", channel_form(address="", name="Renamed"))
    renamed = Channel.objects.get()
    assert (renamed.name, address_of(renamed)) == ("Renamed", secret)
    assert renamed.next_digest_at is None


def test_an_address_with_a_mistake_is_refused_at_its_field(ann: Client) -> None:
    assert "Address 1, “ann@”" in text_of(ann.post("/monitoring/channel/add/", channel_form(address="ann@")))
    assert "Enter an address" in text_of(ann.post("/monitoring/channel/add/", channel_form(address="")))
    assert "time zone" in text_of(ann.post("/monitoring/channel/add/", channel_form(zone="Berlin")))
    assert not Channel.objects.exists()


def test_the_test_button(ann: Client, mailoutbox: list[Any]) -> None:
    channel = a_channel()
    answer = ann.post(f"/monitoring/channel/{channel.pk}/do/test/", follow=True)
    assert "Test message sent to ann@example.com." in text_of(answer)
    assert len(mailoutbox) == 1
    dead = a_channel(address="json://127.0.0.1:9/x")
    assert "The test message was not delivered." in text_of(
        ann.post(f"/monitoring/channel/{dead.pk}/do/test/", follow=True)
    )


def test_everybody_has_channels_of_their_own_and_sees_no_others() -> None:
    other = a_channel(person=User.objects.create_user("carl"), name="Carl's own")
    shared = a_channel(name="Shared one")
    bob = an_alert_viewer()
    bob.post("/monitoring/channel/add/", channel_form(person=str(other.person_id)))
    mine = Channel.objects.get(name="Mine")
    assert str(mine.person) == "bob"
    text = text_of(bob.get("/monitoring/channel/"))
    assert "Mine" in text
    assert "Shared one" in text
    assert "Carl's own" not in text
    assert bob.post(f"/monitoring/channel/{shared.pk}/do/test/").status_code == 403
    assert bob.post(f"/monitoring/channel/{other.pk}/do/test/").status_code == 404
    assert bob.post(f"/monitoring/channel/{mine.pk}/do/test/").status_code == 302


def test_subscribing_again(ann: Client) -> None:
    channel = a_channel(unsubscribed_at=timezone.now())
    assert "Unsubscribed" in text_of(ann.get(f"/monitoring/channel/{channel.pk}/change/"))
    ann.post(f"/monitoring/channel/{channel.pk}/do/subscribe/")
    channel.refresh_from_db()
    assert channel.unsubscribed_at is None


# The front page


def test_the_front_page_names_critical_alerts_that_nobody_looks_after(ann: Client) -> None:
    a_raised_alert()
    update_counts("alerts")
    assert "1 critical alert" in text_of(ann.get("/"))
    Alert.objects.update(state=AlertState.ACKNOWLEDGED)
    update_counts("alerts")
    assert "critical alert" not in text_of(ann.get("/"))


# What is found, and in which order


def test_the_most_serious_come_first_and_the_list_is_sorted_by_time_on_request(ann: Client) -> None:
    an_alert(0, severity=1, title="street")
    an_alert(3, severity=4, title="bankruptcy")
    an_alert(1, severity=4, title="merger")
    text = text_of(ann.get("/monitoring/alert/"))
    assert text.index("merger") < text.index("bankruptcy") < text.index("street")
    columns = list(ann.get("/monitoring/alert/").context["cl"].list_display)
    by_time = text_of(ann.get(f"/monitoring/alert/?o=-{columns.index('raised')}"))
    assert by_time.index("street") < by_time.index("merger") < by_time.index("bankruptcy")


def test_the_first_click_on_exposure_puts_the_largest_first_and_a_company_is_a_link(ann: Client) -> None:
    an_alert(0, title="none")
    an_alert(1, title="small", exposure=100)
    an_alert(2, title="large", exposure=200)
    page = ann.get("/monitoring/alert/")
    column = list(page.context["cl"].list_display).index("at_stake")
    assert f'href="?o=-{column}.' in page.content.decode()
    assert f'<a href="/portfolio/company/{DUNS}/change/">' in page.content.decode()
    sorted_page = ann.get(f"/monitoring/alert/?o=-{column}")
    assert [row.title for row in sorted_page.context["cl"].result_list] == ["large", "small", "none"]
    assert f"?o={column}" in sorted_page.content.decode()


@pytest.mark.parametrize("order", ["", "-raised", "raised"])
def test_the_next_alert_is_the_next_of_the_list(ann: Client, order: str) -> None:
    rows = [an_alert(0, severity=1), an_alert(3, severity=4), an_alert(1, severity=4)]
    columns = list(ann.get("/monitoring/alert/").context["cl"].list_display)
    asked = f"o={'-' * order.startswith('-')}{columns.index('raised')}" if order else ""
    listed = [row.pk for row in ann.get(f"/monitoring/alert/?{asked}").context["cl"].result_list]
    page = ann.get(f"/monitoring/alert/{listed[1]}/change/", {"_changelist_filters": asked})
    found = page.context["neighbours"]
    assert str(listed[0]) in found["previous"] and str(listed[2]) in found["next"] and len(rows) == 3


def test_alerts_are_found_by_country_registration_and_day(ann: Client) -> None:
    a_company(OTHER, "Berg AG", country="DE")
    a_company(DUNS, "Acme Ltd", country="GB")
    row = a_subject(OTHER)
    an_alert(0, company_id=OTHER, title="german")
    an_alert(9, company_id=DUNS, title="british")
    last_week = f"{timezone.now() - timedelta(days=7):%Y-%m-%d}"
    for query, expected in (
        ("country=DE", {"german"}),
        ("country=DE&country=GB", {"german", "british"}),
        ("country=FR", set()),
        (f"registration={row.registration_id}", {"german"}),
        (f"raised_from={last_week}", {"german"}),
        (f"raised_to={last_week}", {"british"}),
    ):
        titles = {one.title for one in ann.get(f"/monitoring/alert/?{query}").context["cl"].result_list}
        assert titles == expected, query


def test_people_have_their_full_names(ann: Client) -> None:
    bob = User.objects.create_user("bob@example.com", first_name="Bob", last_name="Berg")
    alert = an_alert(assignee=bob)
    acknowledge([alert.pk], by="bob@example.com")
    assert "Bob Berg" in text_of(ann.get("/monitoring/alert/"))
    text = text_of(ann.get(f"/monitoring/alert/{alert.pk}/change/"))
    assert "Acknowledged Bob Berg" in text and "bob@example.com" not in text
    assert "?tab=timeline" in ann.get(f"/monitoring/alert/{alert.pk}/change/").text


@pytest.mark.parametrize(
    ("element", "condition", "is_possible"),
    [
        ("organization.dnbAssessment.failureScore.classScore", "drops by 10", False),
        ("organization.dnbAssessment.failureScore.classScore", "drops by 4", True),
        ("organization.dnbAssessment.failureScore.classScore", "drops by 50 %", True),
        ("organization.dnbAssessment.failureScore.classScore", "goes above 5", False),
        ("organization.dnbAssessment.failureScore.nationalPercentile", "goes below 1", False),
        ("organization.dnbAssessment.failureScore.nationalPercentile", "drops by 10", True),
        ("organization.dnbAssessment.failureScore.*", "drops by 1000", True),
    ],
)
def test_a_condition_that_no_value_meets_is_named(
    ann: Client, element: str, condition: str, *, is_possible: bool
) -> None:
    row = a_rule(elements=element, conditions=condition, active=False)
    for page in ("change", "try"):
        assert ("can never be met" not in text_of(ann.get(f"/monitoring/alertrule/{row.pk}/{page}/"))) == is_possible


def test_the_highest_severity_is_named_without_or_higher(ann: Client) -> None:
    a_rule()
    row = a_channel(all_rules=True, min_severity=4)
    text = text_of(ann.get(f"/monitoring/channel/{row.pk}/change/"))
    assert "all rules of severity critical:" in text and "critical or higher" not in text
    assert "Leave empty to keep the stored address" in text
