"""The pages of family trees: calls before they are made, progress, the tree, and members that go to monitoring."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from core.blobs import load_bytes
from direct_plus.sandbox.control.client import SandboxControl
from monitoring.family_tree.shape import Why
from monitoring.family_tree.view_data import MOST
from monitoring.family_tree.work import run_trees
from monitoring.models import FamilyTree, TreeKind, TreeState
from portfolio.imports.states import file_key
from portfolio.models import Company, Contract, ImportMode, Registration, SubjectImport
from tests.builders.companies import a_company
from tests.builders.data_fetches import monitored
from tests.builders.deliveries import delivered
from tests.builders.family_trees import FAMILY, FIRST, FOURTH, SECOND, THIRD, TOP, a_family, a_tree
from tests.builders.notifications import a_seed, news
from tests.builders.pages import text_of
from tests.builders.people import a_person
from tests.builders.queries import AtMost
from tests.builders.registrations import REFERENCE
from tests.builders.subjects import a_subject
from tests.builders.times import MOMENT
from tests.servers.sandbox import calls_of

pytestmark = pytest.mark.django_db
REQUEST, CHANGE = "admin:monitoring_familytree_request", "admin:monitoring_familytree_change"
OWNERSHIP = f"/portfolio/company/{THIRD}/change/?tab=ownership"
PAGE = f"/portfolio/family-tree/{THIRD}/"


@pytest.fixture
def manager(client: Client) -> Client:
    client.force_login(a_person(role="Portfolio manager"))
    return client


def hidden(html: str) -> dict[str, Any]:
    return dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', html))


def test_the_calls_are_shown_confirmed_and_made_once(
    manager: Client, registration: Registration, control: SandboxControl
) -> None:
    a_family(control)
    monitored(registration, THIRD)
    Company.objects.filter(pk=THIRD).update(name="Third SAS")
    shown = manager.get(reverse(REQUEST), {"kind": "full", "company": THIRD})
    assert "This action makes 1 Family Tree call; 200 of 200 are left" in text_of(shown)
    assert "All companies of the family of Third SAS are fetched" in text_of(shown)
    form = {**hidden(shown.content.decode()), "confirmed": "yes"}
    answers = [manager.post(reverse(REQUEST), form) for _ in range(2)]
    tree = FamilyTree.objects.get()
    assert [answer["Location"] for answer in answers] == [reverse(CHANGE, args=[tree.pk])] * 2
    run_trees()
    assert len(calls_of(control, "tree")) == 1
    page = text_of(manager.get(reverse(CHANGE, args=[tree.pk])))
    assert "Completed" in page and "View family tree" in page


def test_texts_that_are_no_numbers_are_dropped(manager: Client, registration: Registration) -> None:
    """PostgreSQL takes no text with a NUL at all."""
    monitored(registration, THIRD)
    shown = manager.get(reverse(REQUEST), {"kind": "full", "company": ["\0", "x", f"{THIRD[:2]}-{THIRD[2:]}", THIRD]})
    assert (shown.context["numbers"], shown.context["plan"].left_out) == ([THIRD], [])
    assert "None of the companies is monitored" in text_of(manager.get(reverse(REQUEST), {"company": "\0"}))
    a_tree(registration.contract)
    form = {"registration": str(registration.pk), "member": ["\0", f" {FOURTH} "]}
    manager.post(reverse("family_tree_add", args=[THIRD]), form)
    assert load_bytes(file_key(SubjectImport.objects.get())).count(b"\n") == 2


def test_a_changed_number_makes_no_call(manager: Client, registration: Registration, control: SandboxControl) -> None:
    monitored(registration, THIRD)
    form = {"kind": "full", "company": THIRD, "calls_family_tree": "2", "confirmed": "yes"}
    assert "the number of calls has changed" in text_of(manager.post(reverse(REQUEST), form))
    assert not FamilyTree.objects.exists() and not calls_of(control, "tree")


def test_a_tree_that_stopped_is_continued_from_its_page(
    manager: Client, registration: Registration, control: SandboxControl
) -> None:
    a_family(control)
    control.switch("family_tree_page", 2)
    monitored(registration, THIRD)
    manager.post(reverse(REQUEST), {"kind": "full", "company": THIRD, "calls_family_tree": "1", "confirmed": "yes"})
    run_trees()
    tree = FamilyTree.objects.get()
    address = reverse(CHANGE, args=[tree.pk])
    page = manager.get(address)
    assert "1 of 3" in text_of(page) and "This action makes 2 Family Tree calls" in text_of(page)
    part = text_of(manager.get(PAGE))
    assert "This tree is incomplete: 1 of 3 pages have been fetched." in part and "First GmbH" in part
    manager.post(reverse("admin:monitoring_familytree_do", args=[tree.pk, "resume"]), {"calls_family_tree": "2"})
    run_trees()
    assert "incomplete" not in text_of(manager.get(f"/portfolio/family-tree/{THIRD}/"))


def test_a_tree_that_stopped_is_discarded_from_its_page(manager: Client, contract: Contract) -> None:
    tree = a_tree(contract, state=TreeState.STOPPED)
    manager.post(reverse("admin:monitoring_familytree_do", args=[tree.pk, "discard"]))
    assert not FamilyTree.objects.exists()


def test_one_that_another_request_has_overtaken_can_only_be_discarded(manager: Client, contract: Contract) -> None:
    stopped = a_tree(contract, state=TreeState.STOPPED, at=timezone.now() - timedelta(hours=1))
    other = a_tree(contract)
    page = manager.get(reverse(CHANGE, args=[stopped.pk]))
    assert "ann has fetched the same family since. Discard this request." in text_of(page)
    assert reverse(CHANGE, args=[other.pk]) in page.content.decode() and "Continue" not in text_of(page)
    resume = reverse("admin:monitoring_familytree_do", args=[stopped.pk, "resume"])
    assert "fetched the same family since" in text_of(manager.post(resume, {"calls_family_tree": "1"}, follow=True))
    manager.post(reverse("admin:monitoring_familytree_do", args=[stopped.pk, "discard"]))
    assert FamilyTree.objects.get() == other


def test_who_may_not_fetch_is_refused(client: Client, contract: Contract) -> None:
    client.force_login(a_person(role="Analyst"))
    a_tree(contract)
    assert client.get(reverse(REQUEST), {"company": THIRD}).status_code == 403
    assert client.get(PAGE).status_code == 200
    client.force_login(a_person(username="carl"))
    assert client.get(PAGE).status_code == 403


def test_members_stand_below_their_parents_with_what_is_known_here(admin: Client, registration: Registration) -> None:
    a_company(FIRST, "First GmbH", failure_class=4, failure_percentile=22, exposure=125_000_00)
    a_subject(FIRST, registration)
    a_tree(registration.contract)
    page = admin.get(PAGE)
    rows = page.context["view"].rows
    assert [(row.row.name, row.branch.depth, list(row.monitored_in)) for row in rows] == [
        ("Top AG", 0, []),
        ("First GmbH", 1, [REFERENCE]),
        ("Fourth Inc", 2, []),
        ("Third SAS", 2, []),
        ("Second Ltd", 1, []),
    ]
    text = text_of(page)
    assert f"Monitored in {REFERENCE}" in text and "22" in text and "125,000" in text
    html = page.content.decode()
    assert html.count("<details") == html.count("</details>") and html.count("<li>") == html.count("</li>")


def test_exposure_is_for_those_who_may_see_it(client: Client, registration: Registration) -> None:
    client.force_login(a_person(role="Viewer"))
    a_company(FIRST, "First GmbH", exposure=125_000_00)
    a_tree(registration.contract)
    assert "125,000" not in text_of(client.get(PAGE))


def test_odd_members_are_shown_with_what_is_odd(admin: Client, contract: Contract) -> None:
    a_tree(contract, {TOP: "", FIRST: "999999999", SECOND: THIRD, THIRD: SECOND, FOURTH: ""})
    page = admin.get(PAGE)
    found = {row.branch.duns: row.why for row in page.context["view"].rows if row.why}
    assert found == {FIRST: Why.MISSING, FOURTH: Why.MISSING, SECOND: Why.CIRCLE}
    text = text_of(page)
    assert "Its parent 999999999 is not in the tree." in text
    assert "D&B states no parent." in text and "The company is listed below a company that it owns." in text


def test_a_merged_member_is_shown_as_such(admin: Client, contract: Contract) -> None:
    a_company(FIRST, "First GmbH", merged_into=TOP, operating_status="Merged into another company")
    a_tree(contract)
    assert "Merged into another company" in text_of(admin.get(PAGE))


def a_large_tree(contract: Contract, below_first: int) -> dict[str, str]:
    family = dict(FAMILY) | {str(500_000_001 + number): FIRST for number in range(below_first)}
    a_tree(contract, family)
    return family


def test_a_large_tree_is_read_level_by_level_and_page_by_page(admin: Client, contract: Contract) -> None:
    family = a_large_tree(contract, 2 * MOST)
    page = admin.get(PAGE)
    assert [row.branch.duns for row in page.context["view"].rows] == [TOP, FIRST, SECOND]
    assert f"View {2 * MOST + 2} companies directly below" in text_of(page)
    seen: set[str] = set()
    for number in range(3):
        view = admin.get(PAGE, {"below": FIRST, "page": str(number)}).context["view"]
        assert len(view.rows) <= MOST and view.path == [(TOP, "Top AG")]
        seen |= {row.branch.duns for row in view.rows}
    assert not view.has_more and seen == {duns for duns, parent in family.items() if parent == FIRST} | {FIRST}


def test_a_large_tree_costs_as_few_queries_as_a_small_one(
    admin: Client, contract: Contract, django_assert_max_num_queries: AtMost
) -> None:
    a_large_tree(contract, 3_000)
    for number in range(40):
        a_subject(str(500_000_001 + number))
    with django_assert_max_num_queries(17):
        assert admin.get(PAGE, {"below": FIRST}).status_code == 200


def test_the_tree_and_its_figures_are_those_of_the_day(admin: Client, registration: Registration) -> None:
    a_tree(registration.contract, at=MOMENT - timedelta(days=60))
    a_tree(registration.contract, {TOP: "", THIRD: TOP}, at=MOMENT + timedelta(days=5))
    delivered(a_seed(THIRD, dnbAssessment={"failureScore": {"classScore": 2, "nationalPercentile": 70}}))
    day, later = (f"{MOMENT + timedelta(days=days):%Y-%m-%d}" for days in (-30, 30))
    then, today = (admin.get(PAGE, asked).context["view"] for asked in ({"as_of": day}, {"as_of": later}))
    assert (then.total, today.total) == (5, 2)
    figures = [next(row.row for row in view.rows if row.branch.duns == THIRD).failure for view in (then, today)]
    assert figures[0] is None and figures[1] is not None
    before = f"{MOMENT - timedelta(days=90):%Y-%m-%d}"
    assert "No family tree that includes this company had been fetched from D&B by that day." in text_of(
        admin.get(PAGE, {"as_of": before})
    )


def test_other_owners_that_are_reported_later_are_named(admin: Client, registration: Registration) -> None:
    a_subject(THIRD, registration)
    a_tree(registration.contract, at=timezone.now() - timedelta(days=400))
    parent = "organization.corporateLinkage.parent"
    delivered(a_seed(THIRD), news(parent, {"duns": FIRST}, {"duns": SECOND}, duns=THIRD))
    assert "D&B has reported a different owner or position for 1 company since then." in text_of(admin.get(PAGE))


def test_selected_members_go_to_an_import(admin: Client, registration: Registration) -> None:
    a_tree(registration.contract)
    form = {"member": [FOURTH, SECOND, "999999999"], "registration": str(registration.pk)}
    answer = admin.post(f"{PAGE}add/", form)
    made = SubjectImport.objects.get()
    assert answer["Location"] == reverse("admin:portfolio_subjectimport_change", args=[made.pk])
    assert (made.mode, made.source, made.registration) == (ImportMode.ADD, "tree", registration)
    lines = load_bytes(file_key(made)).decode().splitlines()
    assert lines[1:] == [f"{FOURTH},Fourth Inc", f"{SECOND},Second Ltd"]
    assert not registration.subject_set.exists(), "nothing is requested before it is confirmed"


def test_without_members_or_a_registration_nothing_is_added(admin: Client, registration: Registration) -> None:
    a_tree(registration.contract)
    for form in ({"registration": str(registration.pk)}, {"member": [FOURTH]}, {"member": FOURTH, "registration": "x"}):
        assert admin.post(f"{PAGE}add/", form)["Location"] == PAGE
    assert not SubjectImport.objects.exists()


def test_a_company_without_a_tree_offers_one(manager: Client, registration: Registration) -> None:
    monitored(registration, THIRD)
    text = text_of(manager.get(PAGE))
    assert (
        "No family tree that includes this company has been fetched from D&B yet." in text
        and "Fetch family tree" in text
    )
    assert manager.get("/portfolio/family-tree/123456789/").status_code == 404
    a_tree(registration.contract, {}, duns=THIRD, state=TreeState.NONE, pages_read=0, at=MOMENT)
    assert "D&B has no family tree for this company (asked on " in text_of(manager.get(PAGE))


def test_where_nothing_is_left_to_add_the_tree_says_so(manager: Client, registration: Registration) -> None:
    a_tree(registration.contract, {TOP: "", THIRD: TOP})
    monitored(registration, THIRD)
    text = text_of(manager.get(PAGE))
    assert "Add to monitoring" in text and "monitored already" not in text
    monitored(registration, TOP)
    text = text_of(manager.get(PAGE))
    assert "All 2 companies are monitored already." in text and "Add to monitoring" not in text


def test_a_tree_that_is_being_fetched_is_no_missing_one(manager: Client, registration: Registration) -> None:
    monitored(registration, THIRD)
    tree = a_tree(registration.contract, {}, duns=THIRD, state=TreeState.RUNNING, pages_read=0)
    answer = manager.get(PAGE)
    text = text_of(answer)
    assert "A family tree is being fetched. It was requested on" in text
    assert reverse(CHANGE, args=[tree.pk]) in answer.text
    assert "No family tree that includes" not in text and "Fetch family tree" not in text


@pytest.mark.parametrize("duns", ["nonsense", "%00", "1234567%0089", "１２３４５６７８９"])
def test_what_is_no_number_is_not_found(admin: Client, duns: str) -> None:
    assert admin.get(f"/portfolio/family-tree/{duns}/").status_code == 404
    assert admin.post(f"/portfolio/family-tree/{duns}/add/").status_code == 404


# The page of a company


def test_a_company_shows_its_chain_and_offers_to_fetch_it(manager: Client, registration: Registration) -> None:
    monitored(registration, THIRD)
    before = text_of(manager.get(OWNERSHIP))
    assert "have not been fetched" in before and "Fetch upward chain" in before
    a_tree(registration.contract, {THIRD: FIRST, FIRST: TOP, TOP: ""}, kind=TreeKind.UPWARD, duns=THIRD)
    after = text_of(manager.get(OWNERSHIP))
    assert "From the global ultimate down to this company" in after
    assert after.index("Top AG") < after.index("First GmbH") < after.rindex("Third SAS")
    assert "Upward chain" not in text_of(manager.get(f"/portfolio/company/{THIRD}/change/"))


def test_a_company_without_a_family_shows_that(manager: Client, registration: Registration) -> None:
    monitored(registration, THIRD)
    columns = {"state": TreeState.NONE, "pages_read": 0, "fetched_at": None, "duns": THIRD, "top": ""}
    tree = a_tree(registration.contract, {}, kind=TreeKind.UPWARD)
    FamilyTree.objects.filter(pk=tree.pk).update(**columns)
    assert "that it has no family tree of this company" in text_of(manager.get(OWNERSHIP))


def test_chains_of_selected_companies_are_requested_together(
    manager: Client, registration: Registration, control: SandboxControl
) -> None:
    monitored(registration, THIRD, FOURTH)
    form = {"action": "fetch_chains", "_selected_action": [THIRD, FOURTH], "index": "0"}
    shown = manager.post("/portfolio/company/", form)
    assert "This action makes 2 Family Tree calls" in text_of(shown)
    fields = re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', shown.content.decode())
    companies = [value for name, value in fields if name == "company"]
    manager.post(reverse(REQUEST), {**dict(fields), "company": companies, "confirmed": "yes"})
    assert set(FamilyTree.objects.values_list("duns", "kind")) == {(THIRD, "upward"), (FOURTH, "upward")}


def test_outdated_chains_are_requested_together(manager: Client, registration: Registration) -> None:
    monitored(registration, THIRD)
    asked = {"kind": "upward", "outdated": "yes"}
    assert "No upward chain is outdated." in text_of(manager.get(reverse(REQUEST), asked))
    day = timezone.now() - timedelta(days=400)
    a_tree(registration.contract, {THIRD: TOP, TOP: ""}, kind=TreeKind.UPWARD, duns=THIRD, at=day)
    parent = "organization.corporateLinkage.parent"
    delivered(a_seed(THIRD), news(parent, {"duns": FIRST}, {"duns": SECOND}, duns=THIRD))
    assert "This action makes 1 Family Tree call;" in text_of(manager.get(reverse(REQUEST), asked))


def test_the_list_of_trees_shows_how_far_each_is(admin: Client, contract: Contract) -> None:
    a_tree(contract, state=TreeState.STOPPED, page_count=4)
    text = text_of(admin.get("/monitoring/familytree/"))
    assert f"Family tree of {TOP}" in text and "1 of 4" in text and "Stopped" in text
    assert Company.objects.count() == 0
