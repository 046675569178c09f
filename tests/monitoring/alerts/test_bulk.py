"""Actions on many alerts: the number first, and exactly those."""

import re
import uuid
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from core.audit import record_all
from core.models import AuditEntry
from dnbmon_site.accounts.models import User
from monitoring.alerts import actions
from monitoring.alerts.actions import acknowledge, close
from monitoring.alerts.admin import alerts as admin_alerts
from monitoring.alerts.admin import bulk, filters, questions
from monitoring.models import Alert, AlertComment, AlertState, CloseReason, Severity
from tests.builders.alerts import an_alert
from tests.builders.companies import a_company
from tests.builders.pages import text_of
from tests.builders.people import a_person, an_alert_viewer
from tests.builders.queries import AtMost
from tests.builders.registrations import one, two
from tests.builders.units import a_unit

pytestmark = pytest.mark.django_db
WHY = {"reason": "noise", "text": "A test."}
ANSWERS: dict[str, dict[str, str]] = {
    "acknowledge": {},
    "take": {},
    "assign": {"person": ""},
    "snooze": {"until": "", "worse": "on", "text": ""},
    "wake": {},
    "close": WHY,
    "reopen": {},
}
TITLES = {
    "acknowledge": "Acknowledge 3 alerts",
    "take": "Assign 3 alerts to yourself",
    "assign": "Assign 3 alerts",
    "snooze": "Snooze 3 alerts",
    "close": "Close 3 alerts",
}


def selected(action: str, *alerts: Alert) -> dict[str, Any]:
    name = {"reopen": "open_selected"}.get(action, f"{action}_selected")
    return {"action": name, "_selected_action": [str(one.pk) for one in alerts]}


def everything(action: str, first: Alert) -> dict[str, Any]:
    return {**selected(action, first), "select_across": "1"}


def ask(client: Client, form: dict[str, Any], query: str = "?state=all") -> Any:
    return client.post(f"/monitoring/alert/{query}", form)


def chosen_in(question: Any) -> dict[str, str]:
    (found,) = re.findall(r'name="chosen" value="([^"]*)"', question.text)
    return {"chosen": found}


def do(client: Client, action: str, form: dict[str, Any], query: str = "?state=all", **answer: str) -> Any:
    question = ask(client, form, query)
    said = {**form, **chosen_in(question), **ANSWERS[action], **answer}
    return client.post(f"/monitoring/alert/{query}", said, follow=True)


@pytest.mark.parametrize("action", TITLES)
def test_the_number_is_said_before_anything_changes(ann: Client, action: str) -> None:
    alerts = [an_alert(number) for number in range(3)]
    before = list(Alert.objects.order_by("id").values())
    question = ask(ann, selected(action, *alerts))
    assert TITLES[action] in text_of(question)
    assert list(Alert.objects.order_by("id").values()) == before


def test_the_companies_are_named_and_of_many_the_first(ann: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bulk, "NAMED", 2)
    names = {"100000001": "Zeta", "100000002": "Acme", "100000003": "Mill"}
    alerts = [an_alert(number, company_id=a_company(*one).pk) for number, one in enumerate(names.items())]
    assert "Companies: Acme; Mill; and 1 more" in text_of(ask(ann, selected("close", *alerts)))
    assert "Companies: Acme; Zeta" in text_of(ask(ann, selected("acknowledge", *alerts[:2])))


def test_each_action_does_what_it_says(ann: Client) -> None:
    bob = a_person("view_alert", "acknowledge_alert")
    alerts = [an_alert(number) for number in range(3)]

    def rows(*names: str) -> set[Any]:
        return set(Alert.objects.values_list(*names))

    assert "3 alerts acknowledged." in text_of(do(ann, "acknowledge", selected("acknowledge", *alerts)))
    assert rows("state", "acknowledged_by") == {("acknowledged", "ann")}
    assert "3 alerts assigned." in text_of(do(ann, "assign", selected("assign", *alerts), person=str(bob.pk)))
    assert rows("assignee") == {(bob.pk,)}
    assert "3 alerts assigned to you." in text_of(do(ann, "take", selected("take", *alerts)))
    assert rows("assignee__username") == {("ann",)}
    assert "3 alerts snoozed." in text_of(do(ann, "snooze", selected("snooze", *alerts)))
    assert rows("wakes_if_worse") == {(True,)}
    assert "3 alerts returned to the inbox." in text_of(do(ann, "wake", selected("wake", *alerts)))
    assert rows("snoozed_until") == {(None,)}
    assert "3 alerts closed." in text_of(do(ann, "close", selected("close", *alerts)))
    assert rows("state", "close_reason") == {("closed", "noise")}
    assert "3 alerts reopened." in text_of(do(ann, "reopen", selected("reopen", *alerts)))
    assert rows("state", "close_reason") == {("new", "")}
    assert AlertComment.objects.filter(text="Closed: Not relevant. A test.").count() == 3
    assert AlertComment.objects.filter(text="Reopened.", by="ann").count() == 3
    assert AuditEntry.objects.filter(action="alert.reopen").count() == 3


def test_closing_needs_a_reason_and_a_sentence_and_keeps_what_was_typed(ann: Client) -> None:
    alerts = [an_alert(number) for number in range(2)]
    answer = do(ann, "close", selected("close", *alerts), text="   ")
    assert "Enter a sentence" in text_of(answer) and "Close 2 alerts" in text_of(answer)
    assert 'value="noise" required checked' in answer.text
    answer = do(ann, "close", selected("close", *alerts), reason="x", text="Called them.")
    assert "Select a reason." in text_of(answer) or "valid choice" in text_of(answer)
    assert "Called them." in answer.text
    assert not Alert.objects.filter(state=AlertState.CLOSED).exists()


def test_what_arrives_after_the_question_stays_as_it_is(ann: Client) -> None:
    alerts = [an_alert(number) for number in range(2)]
    form = everything("close", alerts[0])
    question = ask(ann, form, "")
    assert "Close 2 alerts" in text_of(question)
    arrived = [an_alert(0), an_alert(400)]
    answer = ann.post("/monitoring/alert/", {**form, **chosen_in(question), **WHY}, follow=True)
    assert "2 alerts closed." in text_of(answer)
    assert set(Alert.objects.exclude(state=AlertState.CLOSED)) == set(arrived)


@pytest.mark.parametrize("change", ["acknowledged", "closed", "grown", "assigned", "gone"])
def test_what_was_changed_since_the_question_is_left_and_counted(ann: Client, change: str) -> None:
    alerts = [an_alert(number) for number in range(3)]
    form, one = selected("close", *alerts), alerts[1]
    question = ask(ann, form)
    if change == "acknowledged":
        acknowledge([one.pk], by="carl")
    if change == "closed":
        close([one.pk], by="carl", reason=CloseReason.KNOWN)
    if change == "grown":
        Alert.objects.filter(pk=one.pk).update(fact_count=2)
    if change == "assigned":
        Alert.objects.filter(pk=one.pk).update(assignee=User.objects.get(username="ann"))
    if change == "gone":
        one.delete()
    text = text_of(ann.post("/monitoring/alert/", {**form, **chosen_in(question), **WHY}, follow=True))
    assert "2 alerts closed." in text and "1 alert was updated after you selected it" in text
    assert set(Alert.objects.filter(close_reason="noise")) == {alerts[0], alerts[2]}


def test_what_it_does_not_apply_to_is_left_out_of_the_number(ann: Client) -> None:
    alerts = [an_alert(number) for number in range(3)]
    close([alerts[0].pk], by="carl", reason="known")
    text = text_of(ask(ann, selected("close", *alerts)))
    assert "Close 2 alerts" in text and "1 selected alert already has this state" in text
    answer = ask(ann, selected("close", alerts[0]))
    assert answer.status_code == 302
    assert "No changes made" in text_of(ann.get("/monitoring/alert/"))


def test_a_selection_that_is_too_large_is_refused(ann: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bulk, "MOST", 2)
    alerts = [an_alert(number) for number in range(3)]
    ask(ann, selected("acknowledge", *alerts))
    assert "Select at most 2 alerts" in text_of(ann.get("/monitoring/alert/"))


@pytest.mark.parametrize("chosen", ["", "x", "AAAA", "é", "A" * 26])
def test_an_answer_to_no_question_is_refused(ann: Client, chosen: str) -> None:
    alert = an_alert()
    assert ann.post("/monitoring/alert/", {**selected("acknowledge", alert), "chosen": chosen}).status_code == 400
    alert.refresh_from_db()
    assert alert.state == AlertState.NEW


def test_keys_survive_the_way_through_the_page() -> None:
    chosen = {uuid.uuid4(): number for number in (0, 2**32 - 1, 7)}
    assert bulk.unpacked(bulk.packed(chosen)) == chosen


def test_closed_alerts_are_reopened_from_the_message(ann: Client) -> None:
    alerts = [an_alert(number) for number in range(3)]
    close([alerts[0].pk], by="carl", reason="known")
    answer = do(ann, "close", selected("close", *alerts))
    assert "2 alerts closed. View closed alerts Reopen" in text_of(answer)
    form = answer.text.split('value="open_selected">')[1].split("</form>")[0]
    fields = dict(re.findall(r'name="(\w+)" value="([^"]*)"', form))
    again = ann.post("/monitoring/alert/?state=closed", {**fields, "action": "open_selected"}, follow=True)
    assert "2 alerts reopened." in text_of(again)
    assert set(Alert.objects.filter(state=AlertState.NEW)) == set(alerts[1:])


def test_who_may_only_look_changes_nothing() -> None:
    alert = an_alert()
    ask(an_alert_viewer(), selected("acknowledge", alert))
    alert.refresh_from_db()
    assert alert.state == AlertState.NEW


def test_many_cost_as_few_queries_as_one(ann: Client, django_assert_max_num_queries: AtMost) -> None:
    alerts = [an_alert(number) for number in range(30)]
    question = ask(ann, selected("close", *alerts))
    with django_assert_max_num_queries(25):
        ann.post("/monitoring/alert/", {**selected("close", *alerts), **chosen_in(question), **WHY})
    assert Alert.objects.filter(state=AlertState.CLOSED, closed_at__lte=timezone.now()).count() == 30


def test_of_those_that_are_assigned_so_already_it_is_said_apart(ann: Client) -> None:
    mine = User.objects.get(username="ann")
    alerts = [an_alert(0, assignee=mine), an_alert(1), an_alert(2)]
    text = text_of(do(ann, "take", selected("take", *alerts)))
    assert "2 alerts assigned to you." in text and "1 alert already had this state and was not changed." in text
    assert "updated after" not in text


def test_alerts_that_somebody_does_not_see_are_not_assigned_to_them(ann: Client) -> None:
    bob = a_person("view_alert", "acknowledge_alert")
    a_unit("Credit", one(), people=[bob])
    set_sees_all("ann")
    alerts = [an_alert(0, registration=one()), an_alert(1, registration=two())]
    text = text_of(do(ann, "assign", selected("assign", *alerts), person=str(bob.pk)))
    assert "bob cannot see 1 of these alerts" in text
    assert not Alert.objects.exclude(assignee=None).exists()
    assert "1 alert assigned." in text_of(do(ann, "assign", selected("assign", alerts[0]), person=str(bob.pk)))
    page = ann.post(f"/monitoring/alert/{alerts[1].pk}/do/assign/", {"person": str(bob.pk)}, follow=True)
    assert "bob cannot see 1 of these alerts" in text_of(page)


def test_nothing_is_assigned_to_those_who_only_view_alerts(ann: Client) -> None:
    """Offered are those who may work on alerts, by a role too, and each once."""
    able = a_person("view_alert", "acknowledge_alert", username="able", role="Analyst")
    chief = a_person(username="chief", role="Approver")
    alert, page = an_alert(), "/monitoring/alert/{}/change/"
    for text in (ask(ann, selected("assign", alert)).text, ann.get(page.format(alert.pk)).text):
        assert text.count(f'<option value="{able.pk}"') == 1 and str(chief.pk) not in text
    assert "valid choice" in text_of(do(ann, "assign", selected("assign", alert), person=str(chief.pk)))
    address = f"/monitoring/alert/{alert.pk}/do/assign/"
    assert ann.post(address, {"person": str(chief.pk)}).status_code == 404
    assert not Alert.objects.exclude(assignee=None).exists()
    ann.post(address, {"person": str(able.pk)})
    assert Alert.objects.get().assignee == able


@pytest.mark.parametrize("form", ["alertrule/add", f"responsetime/{Severity.CRITICAL.value}/change"])
def test_nor_is_it_escalated_to_them(ann: Client, form: str) -> None:
    able, chief = a_person(username="able", role="Analyst"), a_person(username="chief", role="Approver")
    page = ann.get(f"/monitoring/{form}/").text
    assert str(able.pk) in page and str(chief.pk) not in page


def test_a_unit_assigns_to_its_own_people_and_those_who_see_everything() -> None:
    bob, carl, dora = (a_person("view_alert", "acknowledge_alert", username=name) for name in ("bob", "carl", "dora"))
    a_unit("Credit", one(), people=[bob, dora])
    a_unit("Buying", one(), people=[carl])
    client = Client()
    client.force_login(bob)
    alert = an_alert(0, registration=one())
    question = ask(client, selected("assign", alert))
    assert str(dora.pk) in question.text and str(carl.pk) not in question.text
    answer = do(client, "assign", selected("assign", alert), person=str(carl.pk))
    assert not Alert.objects.exclude(assignee=None).exists() and "valid choice" in text_of(answer)
    page = client.post(f"/monitoring/alert/{alert.pk}/do/assign/", {"person": str(carl.pk)})
    assert page.status_code == 404


def test_where_not_all_users_are_listed_it_is_said(ann: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    alert = an_alert()
    page = f"/monitoring/alert/{alert.pk}/change/"
    assert "are listed" not in text_of(ann.get(page)) + text_of(ask(ann, selected("assign", alert)))
    for module in (filters, questions, admin_alerts):
        monkeypatch.setattr(module, "MOST_PEOPLE", 1)
    assert "Only the first" in text_of(ann.get(page))
    assert "Only the first" in text_of(ask(ann, selected("assign", alert)))


def set_sees_all(username: str) -> None:
    User.objects.filter(username=username).update(sees_all=True)


def test_reopening_is_audited_before_it_is_done_as_it_was_read(monkeypatch: pytest.MonkeyPatch) -> None:
    alerts = [an_alert(number) for number in range(3)]
    keys = [one.pk for one in alerts]
    close(keys, by="ann", reason=CloseReason.KNOWN)
    with monkeypatch.context() as patched:
        patched.setattr(actions, "due_again", _dying)
        with pytest.raises(RuntimeError):
            actions.reopen(keys, by="bob")
    assert AuditEntry.objects.filter(action="alert.reopen").count() == 3

    def acknowledge_meanwhile(entries: Any) -> None:
        record_all(entries)
        Alert.objects.filter(pk=keys[0], state="closed").update(
            state="acknowledged", acknowledged_by="carl", acknowledged_at=timezone.now(), closed_at=None
        )

    monkeypatch.setattr(actions, "record_all", acknowledge_meanwhile)
    assert actions.reopen(keys, by="bob") == 3
    assert set(Alert.objects.values_list("state", flat=True)) == {"new"}
    last = AuditEntry.objects.filter(action="alert.reopen", key=str(keys[0])).order_by("-id")[0]
    assert '"acknowledged_by": "carl"' in last.before, "what was changed meanwhile is kept too"


def _dying(*args: Any) -> None:
    raise RuntimeError("killed")


def test_reopening_many_takes_few_queries(django_assert_max_num_queries: AtMost) -> None:
    keys = [an_alert(number).pk for number in range(40)]
    close(keys, by="ann")
    with django_assert_max_num_queries(16):
        actions.reopen(keys, by="bob")
