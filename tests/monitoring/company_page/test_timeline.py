"""What people read: values, before → after, days."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from html import unescape
from typing import Any

import pytest
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.html import strip_tags

from monitoring.company_page.document_table import compared, facts_of, turns
from monitoring.company_page.timeline import (
    Line,
    Mismatch,
    Page,
    changes_of,
    days_of,
    line_of,
    lines_of,
    read_cursor,
    sentence,
    stretch_of,
    timeline,
)
from monitoring.company_page.value_diff import differences, in_a_line
from monitoring.company_page.value_mismatch import find_mismatches
from monitoring.elements.formatting import from_json, label_of_path, lower_first, short, value_text, words
from monitoring.history.checkpoints import profile
from monitoring.ingest.raw_item import pretty
from monitoring.models import Change, Element, Kind, Severity
from portfolio.models import Company, Registration
from tests.builders.companies import DUNS
from tests.builders.deliveries import delivered
from tests.builders.elements import ACTIVE, OUT, an_element
from tests.builders.notifications import a_seed, a_transfer, an_update
from tests.builders.registrations import a_registration
from tests.builders.times import MOMENT, stamp

LEEDS = {
    "streetAddress": {"line1": "1 High St"},
    "addressLocality": {"name": "Leeds"},
    "postalCode": "LS1 4AB",
    "addressCountry": {"name": "United Kingdom", "isoAlpha2Code": "GB"},
}


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (True, "yes"),
        (False, "no"),
        (None, "nothing"),
        ("", "nothing"),
        ([], "nothing"),
        ({}, "nothing"),
        (0, "0"),
        (1234567, "1,234,567"),
        (-1200, "-1,200"),
        (Decimal("3.0251016094E8"), "302,510,160.94"),
        (Decimal("3.0"), "3"),
        (Decimal("-0.50"), "-0.5"),
        (Decimal("1E+40"), "1E+40"),
        ("2026-01-07", "7 Jan 2026"),
        ("2026-13-45", "2026-13-45"),
        ("2026-01-07T01:23:13Z", "7 Jan 2026, 01:23"),
        ("OLD NAME LTD", "OLD NAME LTD"),
        (ACTIVE, "Active"),
        ({"value": 1000000, "currency": "USD"}, "1,000,000 USD"),
        ({"value": 120}, "120"),
        ({"telephoneNumber": "5555550100", "isdCode": "1", "isUnreachable": False}, "+1 5555550100"),
        ({"telephoneNumber": "5555550100", "isUnreachable": True}, "5555550100 (unreachable)"),
        (LEEDS, "1 High St, Leeds, LS1 4AB, United Kingdom"),
        ({"name": "United Kingdom", "isoAlpha2Code": "GB"}, "United Kingdom"),
        (["a", "b"], "a, b"),
        ({"lineOfBusiness": "Steel", "hasImports": True}, "line of business: Steel; imports: yes"),
    ],
)
def test_values_in_words(value: Any, text: str) -> None:
    assert value_text(value) == text


def test_times_are_the_readers_own() -> None:
    with timezone.override("Asia/Tokyo"):
        assert value_text("2026-01-07T20:23:13Z") == "8 Jan 2026, 05:23"


def test_long_texts_are_cut() -> None:
    assert short("x" * 400).endswith("x…") and len(short("x" * 400)) == 300


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("operatingStatus", "operating status"),
        ("hasOpenBankruptcy", "open bankruptcy"),
        ("hasBankruptcy", "bankruptcy (open or closed)"),
        ("isHighRiskBusiness", "high risk business"),
        ("isDelisted", "excluded from marketing lists"),
        ("dunsControlStatus", "D-U-N-S status"),
        ("countryISOAlpha2Code", "country code"),
        ("duns", "D-U-N-S number"),
        ("usSicV4", "US SIC code"),
        ("URL", "web address"),
        ("", ""),
    ],
)
def test_names_in_words(name: str, text: str) -> None:
    assert words(name) == text


@pytest.mark.parametrize(
    ("path", "label"),
    [
        ("organization.dunsControlStatus.operatingStatus", "Operating status"),
        ("organization.dnbAssessment.failureScore.nationalPercentile", "National percentile (failure score)"),
        ("organization.primaryName", "Primary name"),
        ("organization", "Organization"),
        ("somethingElse", "Something else"),
        ("...", "..."),
    ],
)
def test_labels_of_paths(path: str, label: str) -> None:
    assert label_of_path(path) == label


def test_abbreviations_keep_their_capitals() -> None:
    assert [lower_first(text) for text in ("Operating status", "D-U-N-S number", "D&B code", "US SIC code")] == [
        "operating status",
        "D-U-N-S number",
        "D&B code",
        "US SIC code",
    ]


@pytest.mark.parametrize(
    ("previous", "current", "text"),
    [
        ("OLD", "NEW", ["OLD → NEW"]),
        (False, True, ["no → yes"]),
        (None, "NEW", ["nothing → NEW"]),
        (1000, 2000000, ["1,000 → 2,000,000"]),
        (ACTIVE, OUT, ["Active → Out of business"]),
        ({"value": 1, "currency": "GBP"}, {"value": 2, "currency": "GBP"}, ["1 GBP → 2 GBP"]),
        ({"a": 1, "b": 2}, {"a": 1, "b": 3}, ["b: 2 → 3"]),
        ({"a": 1}, {"a": 1, "isNew": True}, ["new: nothing → yes"]),
        ({"a": {"b": {"c": 1}}}, {"a": {"b": {"c": 2}}}, ["a, b, c: 1 → 2"]),
        (["a", "b"], ["b", "c"], ["added c; removed a"]),
        (["a"], None, ["removed a"]),
        ([], ["a"], ["added a"]),
        (["a"], ["a", "a"], ["added a"]),
        (["a", "b"], ["b", "a"], ["same items → different order"]),
        ([{"value": 120}], [{"value": 82}], ["120 → 82"]),
        ([{"telephoneNumber": "1"}], [{"telephoneNumber": "2"}], ["1 → 2"]),
        ([{"value": 1, "scope": "Group"}], [{"value": 2, "scope": "Group"}], ["1 → 2"]),
        (["a", "b", "c", "d", "e"], [], ["removed a, b, c and 2 more"]),
        ({"a": 1}, "text", ["a: 1 → text"]),
    ],
)
def test_before_and_after(previous: Any, current: Any, text: list[str]) -> None:
    assert [str(one) for one in differences(previous, current)] == text


def test_a_share_of_defaults_has_its_unit() -> None:
    path = "organization.dnbAssessment.failureScore"
    (found,) = differences({"incidenceOfDefault": 0.5}, {"incidenceOfDefault": 2}, path=path)
    assert (found.before, found.after) == ("0.5 %", "2 %")


def test_items_that_came_went_and_changed_are_told_apart() -> None:
    vat = {"registrationNumber": "111", "typeDescription": "VAT number", "location": "Leeds"}
    tax, new = {**vat, "registrationNumber": "222"}, {**vat, "registrationNumber": "333"}
    found = differences([vat, tax], [{**vat, "location": "York"}, new], path="organization.registrationNumbers")
    rest = "type description: VAT number; location: Leeds"
    assert list(map(str, found)) == [
        f"added registration number: 333; {rest}; removed registration number: 222; {rest}",
        "111, location: Leeds → York",
    ]


def test_arrays_within_items_are_told_by_their_items() -> None:
    ada = {"fullName": "Ada", "jobTitles": [{"title": "CEO"}, {"title": "Chair"}]}
    other = {"fullName": "Bo"}
    found = differences([ada, other], [other, {**ada, "jobTitles": [{"title": "Chair"}]}], path="currentPrincipals")
    assert list(map(str, found)) == ["Ada, job titles: removed title: CEO"]


def test_of_an_address_only_what_differs_is_told() -> None:
    moved = {**LEEDS, "streetAddress": {"line1": "9 Mill Lane"}}
    assert [str(one) for one in differences(LEEDS, moved)] == ["street address: 1 High St → 9 Mill Lane"]


def test_what_cannot_be_read_any_more_is_shown_as_it_is() -> None:
    assert from_json("{torn") == "{torn"
    assert from_json(None) is None


def test_numbers_and_texts_stay_as_sent_when_indented() -> None:
    text = '{"a":3.0251016094E8,"b":[1.10,{}],"c":"x, {y}: \\"z\\""}'
    shown = pretty(text)
    assert "3.0251016094E8" in shown and "1.10" in shown and '"x, {y}: \\"z\\""' in shown
    assert shown.splitlines()[1] == '  "a": 3.0251016094E8,'


@pytest.mark.parametrize("torn", [b"{torn", b"\xff\xfe", b"", b"[" * 5000])
def test_what_is_no_json_is_shown_as_it_is(torn: bytes) -> None:
    assert pretty(torn) == torn.decode("utf-8", "replace")


def a_change(**fields: Any) -> Change:
    defaults = {"kind": Kind.ELEMENT, "element": "organization.primaryName", "severity": Severity.MEDIUM}
    return Change(company=Company(duns=DUNS, name="Acme Ltd", city="Leeds"), **{**defaults, **fields})


def a_line(change: Change, **elements: Element) -> Line:
    return line_of(change, {element.path: element for element in elements.values()})


def test_a_change_is_a_sentence() -> None:
    change = a_change(
        element="organization.dunsControlStatus.operatingStatus",
        previous='{"description":"Active","dnbCode":9074}',
        current='{"description":"Out of business","dnbCode":403}',
    )
    assert sentence(a_line(change)) == "Acme Ltd, 804735132, Leeds: operating status Active → Out of business"


FIRST = [
    ("nationalPercentile", None, "55", "national percentile (failure score) newly reported as 55"),
    ("", '{"rawScore":null}', '{"rawScore":900}', "failure score: raw score: newly reported as 900"),
    ("nationalPercentile", "2", "1", "national percentile (failure score) 2 → 1 (worse)"),
]


@pytest.mark.parametrize(("part", "before", "after", "text"), FIRST)
def test_a_first_score_has_not_become_anything(part: str, before: str | None, after: str, text: str) -> None:
    path = f"organization.dnbAssessment.failureScore.{part}".rstrip(".")
    line = a_line(a_change(element=path, previous=before, current=after))
    assert str(line) == text
    assert in_a_line(path, from_json(before), from_json(after)).startswith("newly reported as") == ("newly" in text)


def test_a_list_in_a_sentence() -> None:
    change = a_change(element="organization.websites", previous='["a"]', current='["b"]')
    assert str(a_line(change)) == "websites: added b; removed a"


PAGES_AND_MESSAGES = [
    ("organization.websites", '["a"]', '["b","c","d","e"]'),
    ("organization.dnbAssessment.failureScore", '{"a":1,"b":1,"c":1,"d":2}', '{"a":2,"b":2,"c":2,"d":3}'),
    ("organization.dnbAssessment.failureScore.nationalPercentile", None, "55"),
    ("organization.primaryName", '"A <b>"', '"B & Co"'),
]  # fmt: skip


@pytest.mark.parametrize(("element", "previous", "current"), PAGES_AND_MESSAGES)
def test_pages_word_a_change_as_messages_do(element: str, previous: str | None, current: str) -> None:
    line = a_line(a_change(element=element, previous=previous, current=current))
    text = unescape(strip_tags(render_to_string("monitoring/company_page/told.html", {"line": line})))
    assert lower_first(" ".join(text.split())) == str(line)


def test_a_company_named_by_its_number_is_named_once() -> None:
    change = a_change(previous='"A"', current='"B"')
    change.company.name = DUNS
    assert sentence(a_line(change)) == "804735132, Leeds: primary name A → B"


@pytest.mark.parametrize("kind", [kind for kind in Kind if kind != Kind.ELEMENT])
def test_every_kind_of_notice_has_its_words(kind: Kind) -> None:
    assert str(a_line(a_change(kind=kind, element=""))) not in ("", kind)


def test_a_merger_names_the_survivor() -> None:
    assert str(a_line(a_change(kind=Kind.TRANSFERRED, element="", current='"150483782"'))) == "merged into 150483782"


def test_peoples_own_words_are_used() -> None:
    mine = Element(path="organization.primaryName", label="Firm", severity=Severity.MEDIUM)
    assert a_line(a_change(previous='"A"', current='"B"'), mine=mine).label == "Firm"


def test_noise_and_what_people_muted_is_folded() -> None:
    muted = Element(path="organization.primaryName", label="", severity=Severity.MEDIUM, muted=True)
    assert a_line(a_change(previous='"A"', current='"B"'), muted=muted).is_small
    assert a_line(a_change(severity=Severity.NOISE)).is_small
    assert not a_line(a_change()).is_small


def test_days_are_the_readers_own() -> None:
    late = a_line(a_change(changed_at=datetime(2026, 1, 7, 23, 30, tzinfo=UTC)))
    with timezone.override("Europe/Berlin"):
        assert [str(day.day) for day in days_of([late])] == ["2026-01-08"]


def test_facts_leave_out_what_is_empty_and_indent_what_is_deep() -> None:
    document = {
        "duns": DUNS,
        "tradeStyleNames": [],
        "primaryAddress": LEEDS,
        "legalEvents": {"hasOpenBankruptcy": False, "hasLiquidation": False},
        "principals": [{"fullName": "Ada Byron", "age": 40}, {"fullName": "Bo Berg", "age": 41}],
    }
    facts = {fact.label: fact for fact in facts_of(document)}
    assert "Trade style names" not in facts
    assert facts["Primary address"].value.startswith("1 High St")
    assert [(fact.label, fact.value) for fact in facts["Legal events"].below] == [
        ("Open bankruptcy", "no"),
        ("Liquidation", "no"),
    ]
    assert [fact.label for fact in facts["Principals"].below] == ["Principals 1", "Principals 2"]


def test_a_document_as_it_was_tells_what_differs_today() -> None:
    then = {
        "primaryName": "A Ltd",
        "fax": "1",
        "legalEvents": {"hasSuits": False, "hasLiens": False},
        "phones": ["1", "2"],
    }
    today = {
        "primaryName": "B Ltd",
        "legalEvents": {"hasSuits": True, "hasLiens": False},
        "phones": ["2", "3"],
        "web": "w",
    }
    found = {fact.label: fact for fact in compared(then, today)}
    assert (found["Primary name"].value, found["Primary name"].today) == ("A Ltd", "B Ltd")
    assert found["Fax"].today == "no longer known"
    assert found["Phones"].today == "added 3; removed 1"
    assert (found["Web"].value, found["Web"].today) == ("", "w")
    assert found["Legal events"].differing == 1
    assert [(fact.label, fact.today) for fact in found["Legal events"].below] == [("Suits", "yes"), ("Liens", "")]
    assert "Web" not in {fact.label for fact in compared(then, today, with_new=False)}


def test_what_differs_is_summed_up_with_noise_apart_and_news_counted() -> None:
    then = {"primaryName": "A Ltd", "dnbAssessment": {"failureScore": {"scoreDate": "2026-01-01"}}}
    today = {"primaryName": "B Ltd", "dnbAssessment": {"failureScore": {"scoreDate": "2026-02-01"}}, "web": "w"}
    found = turns(then, today, {})
    assert [(turn.label, str(turn.differences[0])) for turn in found.changed] == [("Primary name", "A Ltd → B Ltd")]
    assert (len(found.small), found.new, found.count) == (1, 1, 2)


@pytest.mark.parametrize("wrong", ["", "x", "_", "2026-01-07T00:00:00Z_zz", "2026-01-07T00:00:00Z"])
def test_what_is_no_cursor_is_the_beginning(wrong: str) -> None:
    assert read_cursor(wrong) is None


@pytest.mark.django_db
def test_older_pages_follow_without_gap_or_repetition() -> None:
    same = [an_element(f"organization.thing{number}", "a", "b", stamp()) for number in range(5)]
    later = [an_element("organization.primaryName", "a", f"b{number}", stamp(hours=number)) for number in range(1, 4)]
    delivered(an_update(*same, *later))
    seen, before, pages = [], "", 0
    while pages == 0 or before:
        found = stretch_of(changes_of(DUNS), before=before, size=2)
        assert found.is_first == (not before)
        page = timeline(found, {})
        seen += [line.change.pk for day in page.days for line in (*day.lines, *day.small)]
        before, pages = page.older, pages + 1
    newest_first = Change.objects.order_by("-changed_at", "-id").values_list("pk", flat=True)
    assert sorted(seen, key=str) == sorted(newest_first, key=str) and len(seen) == len(set(seen)) == 8


@pytest.mark.django_db
def test_what_arrives_above_moves_no_page() -> None:
    delivered(*(an_update(an_element(current=f"N{number}", timestamp=stamp(hours=number))) for number in range(4)))
    older = timeline(stretch_of(changes_of(DUNS), size=2), {}).older
    expected = shown(timeline(stretch_of(changes_of(DUNS), before=older, size=2), {}))
    delivered(an_update(an_element(current="LATE", timestamp=stamp(hours=9))))
    assert shown(timeline(stretch_of(changes_of(DUNS), before=older, size=2), {})) == expected == ['"N1"', '"N0"']


def shown(page: Page) -> list[str | None]:
    return [line.change.current for day in page.days for line in (*day.lines, *day.small)]


@pytest.mark.django_db
def test_whole_documents_that_come_again_are_folded_away() -> None:
    delivered(*(a_seed(delivered=stamp(days=number), fax=str(number)) for number in range(3)))
    page = timeline(stretch_of(changes_of(DUNS)), {})
    days = [(str(day.day), len(day.lines), len(day.small)) for day in page.days]
    assert days == [("2026-01-09", 0, 1), ("2026-01-08", 0, 1), ("2026-01-07", 1, 0)]


@pytest.mark.parametrize(
    ("element", "previous", "current", "course"),
    [
        ("organization.dnbAssessment.failureScore.nationalPercentile", "54", "41", "worse"),
        ("organization.dnbAssessment.failureScore.nationalPercentile", "41", "54", "better"),
        ("organization.dnbAssessment.failureScore.classScore", "2", "4", "worse"),
        ("organization.dnbAssessment.failureScore.classScore", "4", "2", "better"),
        ("organization.dnbAssessment.failureScore.classScore", None, "2", ""),
        ("organization.dnbAssessment.standardRating.rating", '"4A1"', '"3A2"', "worse"),
        ("organization.numberOfEmployees", "4", "2", ""),
        ("organization.isHighRiskBusinessPercentile", "false", "true", ""),
    ],
)
def test_a_score_says_whether_it_got_better(element: str, previous: str | None, current: str, course: str) -> None:
    assert a_line(a_change(element=element, previous=previous, current=current)).course == course


def drifts() -> list[Mismatch | None]:
    page = timeline(stretch_of(changes_of(DUNS)), {})
    find_mismatches(page, profile(DUNS), {row.pk: row for row in Registration.objects.all()})
    return [line.mismatch for day in page.days for line in day.lines if line.change.kind == Kind.ELEMENT]


@pytest.mark.django_db
def test_drift_is_explained_where_something_else_was_known() -> None:
    delivered(a_seed(delivered=stamp()), an_update(an_element(previous="NEVER SEEN LTD", timestamp=stamp(days=5))))
    (mismatch,) = drifts()
    assert mismatch is not None and [str(one) for one in mismatch.found] == ["Acme Ltd → NEVER SEEN LTD"]
    assert (mismatch.since, mismatch.gap) == (MOMENT, None)


@pytest.mark.django_db
def test_drift_after_a_gap_names_the_gap() -> None:
    row = a_registration(gap_from=MOMENT + timedelta(days=1), gap_until=MOMENT + timedelta(days=4))
    news = a_seed(delivered=stamp()), an_update(an_element(previous="NEVER SEEN LTD", timestamp=stamp(days=5)))
    delivered(*news, registration=row)
    (mismatch,) = drifts()
    assert mismatch is not None and mismatch.gap == row


@pytest.mark.django_db
def test_what_was_never_known_has_not_drifted() -> None:
    delivered(an_update(an_element(previous="OLD")))
    assert drifts() == [None]


@pytest.mark.django_db
def test_lines_need_one_look_at_the_elements(django_assert_num_queries: Any) -> None:
    delivered(an_update(*(an_element(f"organization.thing{number}") for number in range(5))), a_transfer())
    rows = list(Change.objects.all())
    with django_assert_num_queries(1):
        assert len(lines_of(rows)) == 6
    assert a_registration().reference == "ACME_LOD_01"
