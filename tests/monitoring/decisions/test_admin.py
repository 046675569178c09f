"""The pages of reviews and decisions: for those who may decide, confirm and set tiers."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Group, Permission
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone

from core.cached_counts import update_counts
from core.lists.listings import LISTINGS
from core.text import day_text
from monitoring.decisions import known
from monitoring.decisions.admin import decisions, tier_rules
from monitoring.decisions.current import standing_of
from monitoring.decisions.upload import work_on
from monitoring.models import Decision, DecisionState, Review, TierImport, TierRule
from portfolio.exposure.days import today
from portfolio.exposure.refresh import refresh_columns
from portfolio.exposure.work import refresh
from portfolio.models import Company, ExposureImport, ImportState, Tier
from tests.builders.alerts import an_alert
from tests.builders.companies import DUNS, OTHER, a_company
from tests.builders.decisions import (
    a_decision,
    a_draft,
    a_limit,
    a_tier_rule,
    a_tiered_company,
    days_ago,
    review_settings_of,
)
from tests.builders.exposures import exposure
from tests.builders.pages import text_of
from tests.builders.people import a_person

pytestmark = pytest.mark.django_db
LIST, DUE, COMPANY = "/monitoring/decision/", "/monitoring/duereview/", f"/portfolio/company/{DUNS}/change/"
DECIDE, RULES, IMPORTS = f"{LIST}decide/{DUNS}/", "/monitoring/tierrule/", "/monitoring/tierimport/"
LIMIT = f"{DECIDE}limit/"


def signed_in(role: str) -> Client:
    client = Client()
    client.force_login(a_person(role=role, username=role.lower().replace(" ", "-")))
    return client


@pytest.fixture
def analyst() -> Client:
    return signed_in("Analyst")


@pytest.fixture
def approver() -> Client:
    return signed_in("Approver")


@pytest.fixture
def manager() -> Client:
    return signed_in("Portfolio manager")


def page(client: Client, address: str, **query: Any) -> str:
    answer = client.get(address, query)
    assert answer.status_code == 200, answer.status_code
    return text_of(answer)


def sent(client: Client, address: str, **data: Any) -> str:
    return text_of(client.post(address, data, follow=True))


def form(kind: str = "approve", **fields: Any) -> dict[str, Any]:
    return {"kind": kind, "reason": "Pays on time.", "currency": "EUR", "seen": "0", **fields}


def test_empty_lists_lead_to_the_companies(analyst: Client) -> None:
    for address in (LIST, DUE, "/monitoring/review/"):
        assert "View companies" in page(analyst, address)


# Deciding


def test_a_decision_from_the_form_to_the_company(analyst: Client) -> None:
    a_tiered_company(set_days_ago=400)
    assert "Overdue" in page(analyst, COMPANY)
    assert "Decide on Acme Ltd" in page(analyst, DECIDE)
    said = sent(analyst, DECIDE, **form("limit", amount="250000.50", valid_until=f"{today() + timedelta(days=9)}"))
    assert "The review is completed" in said and "Limit EUR 250,001" in said
    row = Decision.objects.get()
    assert (row.amount_cents, row.state) == (25_000_050, DecisionState.FINAL)
    shown = page(analyst, COMPANY)
    assert "Limit EUR 250,001" in shown and "Overdue" not in shown


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"reason": " "}, "Enter a reason"),
        ({"kind": "limit", "amount": ""}, "Enter the amount"),
        ({"kind": "approve", "amount": "10"}, "Only a limit has an amount"),
        ({"kind": "limit", "amount": "10", "currency": "XXY"}, "Choose the currency"),
        ({"valid_until": "soon"}, "Enter a day such as"),
        ({"valid_until": f"{days_ago(1)}"}, "in the past"),
    ],
)
def test_the_form_says_what_is_wrong_and_keeps_what_was_typed(
    analyst: Client, fields: dict[str, Any], words: str
) -> None:
    a_company()
    answer = analyst.post(DECIDE, form(**{"reason": "Kept text.", **fields}))
    assert words in text_of(answer) and not Decision.objects.exists()
    assert ("Kept text." in answer.text) == ("reason" not in fields)


def test_who_comes_second_is_told_and_decides_again(analyst: Client) -> None:
    a_company()
    a_decision(a_limit(500), by="bob")
    answer = analyst.post(DECIDE, form("stop"))
    assert "bob has decided on this company since you opened the page: Limit EUR 500." in text_of(answer)
    assert 'name="seen" value="1"' in answer.text and re.search(r'value="stop" required checked', answer.text)
    sent(analyst, DECIDE, **form("stop", seen="1"))
    assert list(Decision.objects.order_by("number").values_list("kind", flat=True)) == ["limit", "stop"]


def test_a_merged_company_leads_to_the_one_that_remains(analyst: Client) -> None:
    a_company(OTHER, "Remaining Ltd")
    a_company(merged_into=OTHER)
    answer = analyst.get(DECIDE)
    assert "Decide on Remaining Ltd" in text_of(answer) and f"{LIST}decide/{OTHER}/" in answer.text
    assert "merged this company into" in text_of(analyst.post(DECIDE, form()))
    assert not Decision.objects.exists()


def test_an_unknown_company_is_not_found(analyst: Client) -> None:
    assert analyst.get(DECIDE).status_code == 404


def test_a_number_as_people_write_it_leads_to_the_form(analyst: Client) -> None:
    a_company()
    written = f"{DUNS[:2]}-{DUNS[2:5]}-{DUNS[5:]}"
    assert "Decide on Acme Ltd" in page(analyst, f"{LIST}decide/{written}/")
    assert analyst.get(f"{LIST}decide/no-number/").status_code == 404


def test_an_approval_says_that_it_needs_a_second_person(analyst: Client) -> None:
    a_company()
    assert "An approval has no limit" not in page(analyst, DECIDE)
    review_settings_of(second_from=1000)
    shown = page(analyst, DECIDE)
    assert shown.count("An approval has no limit") == 1 and "Save decision" in shown
    assert "A second person must confirm limits of EUR 1,000 or more." in shown
    assert "companies of these tiers are always confirmed by a second person: Critical." in shown


def test_a_decision_without_a_planned_review_completes_none(analyst: Client) -> None:
    a_company()
    said = sent(analyst, DECIDE, **form())
    assert "Decision saved." in said and "The review is completed" not in said


def test_a_decision_made_while_the_form_is_read_is_not_one_that_was_seen(
    analyst: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    a_company()
    usual = standing_of

    def with_a_decision_behind(company: Company) -> Any:
        found = usual(company)
        a_decision(by="bob")
        return found

    with monkeypatch.context() as patched:
        patched.setattr(decisions, "standing_of", with_a_decision_behind)
        assert 'name="seen" value="0"' in analyst.get(DECIDE).text
    assert "bob has decided" in sent(analyst, DECIDE, **form("stop", seen="0"))


def test_the_alerts_that_are_not_kept_are_named_by_their_number(
    analyst: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(known, "MOST_ALERTS", 1)
    a_company()
    an_alert(title="One")
    an_alert(title="Two")
    assert "and 1 more" in page(analyst, f"{LIST}{a_decision().pk}/change/")


def test_a_second_person_confirms(analyst: Client, approver: Client) -> None:
    a_tiered_company(tier=Tier.CRITICAL)
    assert "Propose decision" in page(analyst, DECIDE)
    said = sent(analyst, DECIDE, **form())
    assert "It takes effect when a second person confirms it." in said and "Confirm decision" not in said
    row = Decision.objects.get()
    own = f"{LIST}{row.pk}/do/"
    assert analyst.post(f"{own}confirm/").status_code == 403
    proposed = f"Proposed by analyst on {day_text(timezone.localdate())}: Approve."
    assert f"{proposed} It takes effect when a second person confirms it." in page(analyst, COMPANY)
    shown = page(approver, f"{LIST}{row.pk}/change/")
    assert "Confirm decision" in shown and "Nothing has changed since" in shown
    Company.objects.update(failure_class=5)
    an_alert(title="Out of business")
    shown = page(approver, f"{LIST}{row.pk}/change/")
    assert "since the decision was proposed: 1 figure, 1 alert." in shown
    assert re.search(r"Failure score class – 5 .*Open alerts 0 1 .*Alert raised since then – Out of business", shown)
    assert "Decision confirmed and final" in sent(approver, f"{own}confirm/")
    assert Review.objects.count() == 1
    assert "has already confirmed or refused this decision" in sent(approver, f"{own}refuse/", reason="Late.")


def test_the_proposer_withdraws_and_others_without_the_right_do_not(analyst: Client, manager: Client) -> None:
    a_tiered_company(tier=Tier.CRITICAL)
    sent(analyst, DECIDE, **form())
    own = f"{LIST}{Decision.objects.get().pk}/do/refuse/"
    assert manager.post(own, {"reason": "No."}).status_code == 403
    assert "Enter a reason" in sent(analyst, own, reason="")
    assert "No decision is valid for this company." in sent(analyst, own, reason="A mistake.")
    assert Decision.objects.get().state == DecisionState.REFUSED
    assert "refused the proposal “Approve” on " in page(analyst, COMPANY) and ": A mistake." in page(analyst, COMPANY)


def test_who_may_decide_and_confirm_cannot_confirm_their_own() -> None:
    both = Client()
    both.force_login(a_person("view_decision", "view_company", "decide_company", "confirm_decision"))
    a_tiered_company(tier=Tier.CRITICAL)
    sent(both, DECIDE, **form())
    own = f"{LIST}{Decision.objects.get().pk}/"
    assert "Confirm decision" not in page(both, f"{own}change/")
    assert "another user must confirm it" in sent(both, f"{own}do/confirm/")
    assert Decision.objects.get().state == DecisionState.PROPOSED


def test_what_was_known_is_on_its_page_and_money_for_those_who_may_see_it(analyst: Client) -> None:
    a_company(failure_class=4)
    exposure(f"{DUNS};1200")
    refresh_columns()
    row = a_decision()
    Company.objects.update(failure_class=1)
    shown = page(analyst, f"{LIST}{row.pk}/change/")
    assert "Failure score class 4" in shown and "EUR 1,200" in shown
    assert "EUR 1,200" not in page(signed_in("Viewer"), f"{LIST}{row.pk}/change/")


def test_the_form_shows_what_is_known_and_money_for_those_who_may_see_it(analyst: Client) -> None:
    a_company(failure_class=4, failure_percentile=12, limit_amount=50_000, limit_currency="EUR")
    exposure(f"{DUNS};1200")
    refresh_columns()
    an_alert(title="One")
    shown = page(analyst, DECIDE)
    for words in ("Recommended limit 50,000", "Failure score 12", "Failure score class 4", "Open alerts 1"):
        assert words in shown
    assert "Exposure: EUR 1,200." in shown and "not visible with your role" not in shown
    other = Client()
    other.force_login(a_person("view_decision", "view_company", "decide_company", username="eve"))
    shown = page(other, DECIDE)
    assert "EUR 1,200" not in shown and "Exposure: not visible with your role." in shown


def test_a_limit_below_the_exposure_is_stated_while_it_is_typed(analyst: Client) -> None:
    a_company()
    exposure(f"{DUNS};1200")
    refresh_columns()
    assert f'data-limit="{LIMIT}"' in analyst.get(DECIDE).content.decode()

    def stated(amount: str, currency: str = "EUR") -> str:
        return analyst.get(LIMIT, {"amount": amount, "currency": currency}).content.decode()

    assert stated("1000") == "The exposure of EUR 1,200 exceeds this limit by EUR 200."
    assert "the exchange rate for USD is missing" in stated("1000", "USD")
    assert [stated(amount) for amount in ("1200", "", "many", "-1")] == [""] * 4
    other = Client()
    other.force_login(a_person("view_decision", "view_company", "decide_company", username="eve"))
    assert other.get(LIMIT).status_code == 403 and "data-limit" not in other.get(DECIDE).content.decode()


def test_the_company_page_shows_total_exposure_and_an_exceeded_limit(analyst: Client) -> None:
    a_company()
    exposure(f"{DUNS};1200")
    refresh_columns()
    a_decision(a_limit(1_000))
    shown = page(analyst, COMPANY)
    assert "Limit exceeded by EUR 200" in shown and "Total exposure EUR 1,200" in shown
    assert "Exposure: EUR 1,200, which exceeds the current limit by EUR 200." in page(analyst, DECIDE)
    update_counts("exposure")
    overview = page(analyst, "/")
    assert "Urgent Acme Ltd exceeds its limit by EUR 200 Exposure: EUR 1,200. Limit of the valid decision:" in overview
    listed = page(analyst, "/portfolio/company/?exposure=over_limit")
    assert "Exceeded limit (EUR) Limit exceeded by (EUR)" in listed and "1,200 1,000 200" in listed
    reader = signed_in("Viewer")
    viewer = page(reader, COMPANY)
    assert "Limit exceeded" not in viewer and "Total exposure" not in viewer
    assert "Exposure is not visible with your role." in viewer and "not visible" not in shown
    assert "Exposure (EUR)" in page(analyst, LIST) and "Limit EUR 1,000 1,200" in page(analyst, LIST)
    assert "1,200" not in page(reader, LIST)
    a_decision(a_limit(1_200), seen=1)
    assert "Limit exceeded" not in page(analyst, COMPANY)
    assert "Exposure: EUR 1,200." in page(analyst, DECIDE)
    assert "exceeds its limit" not in page(analyst, "/")
    assert "Acme" not in page(analyst, "/portfolio/company/?exposure=over_limit")


def test_amounts_that_exceed_limits_are_on_the_overview_with_the_job_that_applies_them(analyst: Client) -> None:
    for number, duns in enumerate((DUNS, OTHER), 1):
        a_company(duns, f"Company {number}")
        a_decision(a_limit(1_000), duns=duns)
    exposure(f"{DUNS};1200\n{OTHER};1500")
    refresh()
    overview = page(analyst, "/")
    assert "2 companies exceed their limits Company 2 by EUR 500, Company 1 by EUR 200." in overview


def test_an_import_names_the_companies_above_their_limit_before_and_after_it_is_applied(manager: Client) -> None:
    a_company(name="Acme")
    a_company(OTHER, "Litware")
    a_decision(a_limit(1_000))
    a_decision(a_limit(5_000), duns=OTHER)
    exposure(f"{DUNS};900\n{OTHER};6000", book="orders")
    row = exposure(f"{DUNS};1200", mode="add")
    ExposureImport.objects.filter(pk=row.pk).update(state=ImportState.READ, confirmed_at=None)
    address = f"/portfolio/exposureimport/{row.pk}/change/"
    shown = page(manager, address)
    assert "1 company would exceed its limit once the import is applied." in shown
    assert "Acme would exceed its limit of EUR 1,000 by EUR 1,100." in shown
    assert "Litware" not in shown, "the import does not name it"
    shown = sent(manager, f"/portfolio/exposureimport/{row.pk}/do/apply/")
    assert "1 company of this import exceeds its limit. Acme exceeds its limit of EUR 1,000 by EUR 1,100." in shown
    reader = Client()
    reader.force_login(a_person("view_exposure", username="eve"))
    assert "exceeds its limit" not in page(reader, address)


def test_who_confirms_sees_the_exposure_of_that_decision_only(approver: Client, analyst: Client) -> None:
    a_tiered_company(tier=Tier.CRITICAL)
    exposure(f"{DUNS};1200")
    refresh_columns()
    sent(analyst, DECIDE, **form())
    address = f"{LIST}{Decision.objects.get().pk}/change/"
    shown = page(approver, address)
    assert "No decision so far → Approve. Exposure: EUR 1,200. Confirm decision" in shown
    assert "You see the exposure because you can confirm this decision." in shown
    assert "No decision so far → Approve. Exposure: EUR 1,200." in page(analyst, address), "for who proposed it too"
    reader = signed_in("Viewer")
    assert "EUR 1,200" not in page(reader, address)
    sent(approver, f"{LIST}{Decision.objects.get().pk}/do/confirm/")
    confirmed = page(approver, address)
    assert "Exposure at that time" in confirmed and "EUR 1,200" in confirmed, "who confirmed it, of that time"
    assert "not visible with your role" not in page(analyst, address)
    assert "Exposure: not visible with your role." in page(reader, address)


def test_the_form_says_when_a_proposal_takes_effect_and_names_who_can_confirm(analyst: Client) -> None:
    a_tiered_company(tier=Tier.CRITICAL)
    signed_in("Approver")
    shown = page(analyst, DECIDE)
    assert "The decision takes effect when a second person confirms it." in shown
    hold = "no new business with the company until the next decision. It takes effect when a second person confirms it."
    assert hold in shown, "beside the choice"
    assert "approver can confirm this decision." in shown
    sent(analyst, DECIDE, **form("hold"))
    assert "Decision Hold proposed: takes effect when a second person confirms it" in page(analyst, COMPANY)


def test_moments_known_then_are_written_as_people_write_them(analyst: Client) -> None:
    a_company(last_critical_at=datetime(2026, 3, 31, 19, 37, tzinfo=UTC))
    assert re.search(
        r"Last critical change \d+ \w+ 2026|Last critical change 0?3/31/2026",
        page(analyst, f"{LIST}{a_decision().pk}/change/"),
    )


def test_who_can_confirm_is_named_by_role(analyst: Client, manager: Client) -> None:
    a_tiered_company(tier=Tier.CRITICAL)
    words = "Users with one of these roles can confirm this decision: Administrator, Approver."
    assert words in page(analyst, DECIDE) and words in sent(analyst, DECIDE, **form())
    own = f"{LIST}{Decision.objects.get().pk}/change/"
    assert words in page(analyst, own) and words in page(manager, own)
    Group.objects.get(name="Administrator").permissions.remove(Permission.objects.get(codename="confirm_decision"))
    assert "Users with the role Approver can confirm this decision." in page(analyst, own)
    Group.objects.get(name="Approver").permissions.clear()
    assert "No role has the permission to confirm this decision. Ask an administrator." in page(analyst, own)


@pytest.mark.parametrize("role", ["Viewer", "Operator", "Portfolio manager", "Approver"])
def test_without_the_right_nobody_decides(role: str) -> None:
    a_company()
    client = signed_in(role)
    assert client.get(DECIDE).status_code == client.post(DECIDE, form()).status_code == 403
    assert client.post(f"/portfolio/company/{DUNS}/do/review/", {"seen": ""}).status_code == 403
    assert "Complete review" not in page(client, COMPANY)


def test_the_list_of_decisions_by_state_and_company(analyst: Client) -> None:
    a_company(DUNS, "Acme Ltd")
    a_tiered_company(OTHER, Tier.CRITICAL, name="Other GmbH")
    a_decision(a_draft(valid_until=today()))
    a_decision(duns=OTHER)
    Decision.objects.filter(company=DUNS).update(valid_until=days_ago(1))
    assert "Expired" in page(analyst, LIST, state="final") and "Other GmbH" not in page(analyst, LIST, state="final")
    proposed = page(analyst, LIST, state="proposed")
    assert "Other GmbH" in proposed and "Takes effect once confirmed" in proposed and "Proposed by" in proposed
    Decision.objects.filter(company=OTHER).update(state=DecisionState.REFUSED, confirmed_by="bob")
    assert "refused by bob" in page(analyst, LIST, state="refused")
    titles = {column.name: str(column.heading) for column in LISTINGS["monitoring.decision"].columns}
    assert (titles["decided_by"], titles["confirmed_by"]) == ("Decided or proposed by", "Confirmed or refused by")
    assert "Other GmbH" not in page(analyst, LIST, q=DUNS)


# Reviews


def test_what_is_due_in_the_order_of_its_days(analyst: Client) -> None:
    a_tiered_company("100000001", name="Overdue Ltd", set_days_ago=400)
    a_tiered_company("100000002", name="Due Ltd", set_days_ago=365)
    a_tiered_company("100000003", Tier.CRITICAL, name="Soon Ltd", set_days_ago=70)
    a_tiered_company("100000004", name="Later Ltd")
    a_company("100000005", "Never Ltd")

    def names(**query: str) -> list[str]:
        rows = analyst.get(DUE, query).context["cl"].result_list
        return [row.name for row in rows]

    assert names() == ["Overdue Ltd", "Due Ltd", "Soon Ltd", "Later Ltd"]
    assert names(review="overdue") == ["Overdue Ltd"]
    assert names(review="due") == ["Overdue Ltd", "Due Ltd"]
    assert names(review="soon") == ["Overdue Ltd", "Due Ltd", "Soon Ltd"]
    assert names(tier="critical") == ["Soon Ltd"]
    assert names(o="-4") == ["Later Ltd", "Soon Ltd", "Due Ltd", "Overdue Ltd"]
    assert names(q="soon") == ["Soon Ltd"]


def test_a_review_leads_to_the_company_and_a_completed_one_to_its_decision(analyst: Client) -> None:
    a_tiered_company()
    assert analyst.get(f"{DUE}{DUNS}/change/").headers["Location"] == COMPANY
    row = a_decision()
    review = Review.objects.get()
    address = f"/monitoring/review/{review.pk}/change/"
    assert analyst.get(address).headers["Location"] == f"{LIST}{row.pk}/change/"


def test_a_review_is_completed_on_the_companys_page(analyst: Client) -> None:
    a_tiered_company(set_days_ago=400)
    do = f"/portfolio/company/{DUNS}/do/review/"
    assert "Review completed." in sent(analyst, do, seen="", note="Fine.")
    assert "has reviewed this company since" in sent(analyst, do, seen="", note="Again.")
    assert Review.objects.get().note == "Fine."
    assert "Fine." in page(analyst, "/monitoring/review/")


def test_the_overview_names_what_is_due_and_what_waits(analyst: Client, approver: Client) -> None:
    from core.cached_counts import update_counts

    a_tiered_company(set_days_ago=400)
    a_tiered_company(OTHER, Tier.CRITICAL)
    a_decision(duns=OTHER)
    update_counts()
    assert "1 company to review" in page(analyst, "/") and "1 review is overdue." in page(analyst, "/")
    assert "awaiting confirmation" not in page(analyst, "/")
    assert "1 decision awaiting confirmation" in page(approver, "/")


# Tiers


def test_the_tier_of_a_company(manager: Client, analyst: Client) -> None:
    a_company()
    do = f"/portfolio/company/{DUNS}/do/tier/"
    assert analyst.post(do, {"tier": "critical"}).status_code == 403
    assert "Tier saved: Critical." in sent(manager, do, tier="critical")
    assert "Choose a tier" in sent(manager, do, tier="vital")
    assert Company.objects.get().tier == Tier.CRITICAL
    assert "Tier rules set the tier" in sent(manager, do, tier="rules")
    assert Company.objects.get().tier_set_by == ""


def test_the_tier_of_selected_companies_once_their_number_was_shown(manager: Client) -> None:
    a_company(DUNS)
    a_tiered_company(OTHER)
    chosen = {"action": "set_tier_of_selected", "_selected_action": [DUNS, OTHER]}
    asked = text_of(manager.post("/portfolio/company/", chosen))
    assert "Set the tier of 2 companies" in asked and "have set the tier of 1 company before" in asked
    outdated = text_of(manager.post("/portfolio/company/", {**chosen, "count": "3", "tier": "critical"}))
    assert "The tiers were not saved: the list now contains 2 companies" in outdated
    sent(manager, "/portfolio/company/", **chosen, count="2", tier="critical")
    assert set(Company.objects.values_list("tier", flat=True)) == {"critical"}


def test_a_rule_is_shown_before_it_is_enabled(manager: Client) -> None:
    a_company(exposure=100_000)
    sent(manager, f"{RULES}add/", name="Large", tier="critical", exposure_from="1000", country="")
    rule = TierRule.objects.get()
    own = f"{RULES}{rule.pk}/"
    assert "Enabling this rule changes the tier of 1 company" in page(manager, f"{own}change/")
    assert Company.objects.get().tier == ""
    assert "now affects the tiers of 1 company" in sent(manager, f"{own}do/enable/", confirmed="2")
    assert "Rule enabled. Tier changed for 1 company" in sent(manager, f"{own}do/enable/", confirmed="1")
    assert Company.objects.get().tier == Tier.CRITICAL
    assert manager.post(f"{own}change/", {"name": "Other", "tier": "normal"}).status_code == 403
    assert manager.post(f"{own}delete/", {"post": "yes"}).status_code == 403
    assert "Disabling this rule changes the tier of 1 company" in page(manager, f"{own}change/")
    sent(manager, f"{own}do/disable/", confirmed="1")
    assert Company.objects.get().tier == ""


def test_a_rule_that_is_enabled_while_its_form_is_sent_stays_as_it_was(
    manager: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    rule = a_tier_rule("Large", exposure_from=1000)
    usual = tier_rules.TierRuleForm.clean_country

    def enabled_meanwhile(form: Any) -> str:
        TierRule.objects.update(is_enabled=True)
        return usual(form)

    monkeypatch.setattr(tier_rules.TierRuleForm, "clean_country", enabled_meanwhile)
    given = {"name": "Other", "tier": "normal", "exposure_from": "1", "country": ""}
    assert manager.post(f"{RULES}{rule.pk}/change/", given).status_code == 403
    stored = TierRule.objects.get()
    assert (stored.name, stored.tier, stored.exposure_from) == ("Large", "critical", 1000)


def test_a_disabled_rule_is_changed(manager: Client) -> None:
    rule = a_tier_rule("Large", exposure_from=1000)
    sent(manager, f"{RULES}{rule.pk}/change/", name="Other", tier="normal", exposure_from="1", country="de", tag="")
    stored = TierRule.objects.get()
    assert (stored.name, stored.tier, stored.exposure_from, stored.country) == ("Other", "normal", 1, "DE")


def test_a_rule_over_exposure_is_for_those_who_may_see_money(manager: Client) -> None:
    a_tier_rule("Large", exposure_from=1000)
    a_tier_rule("Risky", failure_class_from=4)
    viewer = signed_in("Viewer")
    assert "Large" in page(manager, RULES)
    assert "Large" not in page(viewer, RULES) and "Risky" in page(viewer, RULES)


def test_an_import_of_tiers(manager: Client, analyst: Client) -> None:
    a_company(DUNS)
    assert analyst.get(IMPORTS).status_code == analyst.get(f"{IMPORTS}upload/").status_code == 403
    file = SimpleUploadedFile("tiers.csv", f"DUNS;Tier\n{DUNS};critical\n1;x\n".encode())
    assert manager.post(f"{IMPORTS}upload/", {"file": file}).status_code == 302
    upload = TierImport.objects.get()
    work_on(upload)
    own = f"{IMPORTS}{upload.pk}/"
    assert "This import sets the tier of 1 company" in page(manager, f"{own}change/")
    assert "does not match" in sent(manager, f"{own}do/confirm/", confirmed="7")
    assert "The tiers are being set" in sent(manager, f"{own}do/confirm/", confirmed="1")
    work_on(TierImport.objects.get())
    assert Company.objects.get().tier == Tier.CRITICAL
    assert TierImport.objects.get().state == ImportState.APPLIED
    assert "tiers.csv" in page(manager, IMPORTS)
    answer: Any = manager.get(f"{own}rows.csv", {"validation": "company"})
    rows = b"".join(answer.streaming_content)
    assert b"critical" not in rows and b",x," in rows
    assert "Undo import" in page(manager, f"{own}change/")
    assert "rows undone" in sent(manager, f"{own}do/undo/")
    work_on(TierImport.objects.get())
    assert "Undone. The previous tiers are restored." in page(manager, f"{own}change/", part="live")
    assert Company.objects.get().tier == ""
    assert manager.get(f"{IMPORTS}template/").content[:2] == b"PK"


def test_settings_are_one_form_for_administrators(admin: Client, manager: Client) -> None:
    address = "/monitoring/reviewsettings/"
    assert "90" in page(admin, address)
    assert "90" in page(manager, address)
    given = {"critical_days": "30", "important_days": "60", "normal_days": "90", "second_from": "1000"}
    assert manager.post(address, given).status_code == 403
    assert admin.post(address, given).status_code == 302
    a_company()
    a_decision(a_limit(1000))
    assert Decision.objects.get().state == DecisionState.PROPOSED
