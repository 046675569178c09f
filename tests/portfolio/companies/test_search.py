"""Companies are found by any word of what lists show of them, on every engine, with bounded work."""

import random

import pytest
from django.db import connection

from core.bulk import key_ends
from core.visibility import Scope, visible_to
from portfolio.companies import search
from portfolio.companies.external_references import Named, name_companies
from portfolio.companies.search import Found, duns_digits, of_companies, search_companies
from portfolio.companies.word_index import verify_words, write_company_words
from portfolio.companies.words import asked_words, begins_a_word, may_be_legal_form, words_of
from portfolio.models import Company, CompanyWord, Subject
from portfolio.models.company_words import DUNS_BYTES
from tests.builders.companies import DUNS, OTHER, a_company
from tests.builders.queries import AtMost
from tests.builders.registrations import one, two
from tests.builders.subjects import a_subject
from tests.builders.times import MOMENT
from tests.builders.units import a_unit, seen_by

pytestmark = pytest.mark.django_db
FORGES = ["Forge", "The Forge Ltd", "Northern Forge & Sons", "Dropforge GmbH", "Valley Forging AG"]


def found(text: str) -> list[str]:
    names = Company.objects.in_bulk(search_companies(text).duns)
    return [names[duns].name for duns in search_companies(text).duns]


def test_a_company_is_found_by_the_beginning_of_any_word() -> None:
    for number, name in enumerate(FORGES):
        a_company(f"{number:09}", name)
    assert found("forge") == ["Forge", "Northern Forge & Sons", "The Forge Ltd"]
    assert found("forg") == ["Forge", "Northern Forge & Sons", "The Forge Ltd", "Valley Forging AG"]
    assert found("sons north") == ["Northern Forge & Sons"]
    assert found("forge gmbh") == found("forge"), "legal forms do not matter"
    assert found("anvil") == found("%") == found("") == found("gmbh") == []


@pytest.mark.parametrize("typed", ["Akesson", "åkesson", "AAKESSON", "akesson malm", "Malmö", "malmoe åk"])
def test_accents_and_case_do_not_matter(typed: str) -> None:
    a_company(DUNS, "Åkesson AB", city="Malmö")
    a_company(OTHER, "Acme", city="Lund")
    assert found(typed) == ["Åkesson AB"]


@pytest.mark.parametrize("typed", ["V-1001", "1001", "key acc", "acme key", DUNS, "80-473-5132", "8047", "acme 8047"])
def test_reference_tag_and_number_find_it_too(typed: str) -> None:
    a_company(DUNS, "Acme")
    a_company(OTHER, "Acme Other")
    a_subject(DUNS, customer_reference="V-1001", tags="critical, key account")
    assert found(typed) == ["Acme"]


def test_names_that_begin_so_come_first() -> None:
    for number, name in enumerate(["Alpha Bank", "Bank Zeta", "bank of alpha", "Bänk"]):
        a_company(f"{number:09}", name)
    assert found("bank") == ["Bänk", "bank of alpha", "Bank Zeta", "Alpha Bank"]


def test_an_older_name_finds_nothing() -> None:
    a_company(DUNS, "Acme Forge")
    Company.objects.update(name="Zeta")
    assert found("forge") == []


def test_names_of_random_words_are_found_as_by_looking_at_each() -> None:
    chance = random.Random(5)
    words = [
        "Åke",
        "ake",
        "Forge",
        "forging",
        "日立",
        "日立製作所",
        "Müller",
        "MUELLER",
        "S.A.",
        "Ltd",
        "H&M",
        "o'neil",
        "10",
    ]
    for number in range(150):
        a_company(f"{number:09}", " ".join(chance.choices(words, k=chance.randint(1, 4))), city=chance.choice(words))
    rows = list(Company.objects.all())
    for _ in range(100):
        typed = " ".join(word[: chance.randint(1, 9)] for word in chance.choices(words, k=chance.randint(1, 3)))
        asked = asked_words(typed)
        if duns_digits(typed) or all(may_be_legal_form(spellings[0]) for spellings in asked):
            continue
        known = {row.duns: words_of(row.name) | words_of(row.city) | {row.duns} for row in rows}
        expected = {duns for duns, words in known.items() if all(begins_a_word(one, words) for one in asked)}
        assert set(search_companies(typed).duns) == expected, typed


def test_of_words_that_many_have_those_with_all_of_them_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(search, "MOST", 3)
    for number in range(10):
        a_company(f"{number:09}", f"Alpha {number}")
        a_company(f"{number + 10:09}", f"Omega {number}")
    a_company(DUNS, "Omega Alpha")
    assert found("alpha omega") == ["Omega Alpha"]
    assert not search_companies("alpha omega").has_more


def test_of_too_many_some_are_found_and_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(search, "MOST", 3)
    for number in range(5):
        a_company(f"{number:09}", f"Alpha {number}")
    assert len(search_companies("alpha").duns) == 3
    assert search_companies("alpha").has_more
    assert not search_companies("alpha 3").has_more


def a_unit_among_others(own: int, others: int) -> Scope:
    """Companies of others come first in every order."""
    unit = a_unit("Credit", one())
    for number in range(others):
        a_subject(a_company(f"{number:09}", f"Alpha {number}").duns, two(), monitored_since=MOMENT)
    for number in range(100, 100 + own):
        a_subject(a_company(f"{number:09}", f"Alpha {number}").duns, one(), monitored_since=MOMENT)
    return seen_by(unit)


def test_for_a_business_unit_there_are_no_other_companies(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(search, "MOST", 3)
    scope = a_unit_among_others(own=2, others=5)
    assert search_companies("alpha", scope) == Found(("000000100", "000000101"), has_more=False)
    assert search_companies("0000", scope) == Found(("000000100", "000000101"), has_more=False)
    assert search_companies("alpha").has_more


def test_of_too_many_of_a_business_unit_some_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(search, "MOST", 3)
    scope = a_unit_among_others(own=6, others=5)
    found = search_companies("alpha", scope)
    assert found == Found(("000000100", "000000101", "000000102"), has_more=True)
    monkeypatch.setattr(search, "MOST_KEYS", 5)
    assert search_companies("alpha", scope) == Found((), has_more=True), "bounded work, and it says so"


def test_tags_and_references_of_another_unit_find_nothing() -> None:
    unit = a_unit("Credit", one())
    a_company(DUNS, "Acme")
    a_subject(DUNS, one(), tags="steel", monitored_since=MOMENT)
    a_subject(DUNS, two(), tags="doubtful", customer_reference="V-7", monitored_since=MOMENT)
    typed = ("steel", "doubtful", "V-7")
    assert [len(search_companies(text, seen_by(unit)).duns) for text in typed] == [1, 0, 0]
    assert [len(search_companies(text).duns) for text in typed] == [1, 1, 1]


def test_what_other_systems_call_a_company_that_left_finds_none_of_its_rows() -> None:
    scope = seen_by(a_unit("Credit", one()))
    for duns, until, reference in ((DUNS, None, "kestrel"), (OTHER, MOMENT, "merlin")):
        a_company(duns, "Acme")
        a_subject(duns, one(), monitored_since=MOMENT, monitored_until=until)
        name_companies([Named(duns, "crm", reference)], requested_by="ann")
    found = [of_companies(Subject.objects.all(), text, scope).count() for text in ("acme", "kestrel", "merlin")]
    assert found == [2, 1, 0]


def test_a_search_takes_few_queries(django_assert_max_num_queries: AtMost) -> None:
    a_company(DUNS, "Alpha Beta Gamma Delta Epsilon")
    with django_assert_max_num_queries(3):
        assert search_companies("alpha beta gamma delta epsilon").duns == (DUNS,)


def test_rows_about_companies_are_found_by_their_words() -> None:
    a_company(DUNS, "Acme Forge")
    a_subject(DUNS)
    assert of_companies(Subject.objects.all(), "forge").count() == 1
    assert of_companies(Subject.objects.all(), DUNS).count() == 1
    assert of_companies(Subject.objects.all(), "anvil").count() == 0


def test_rows_of_a_business_unit_are_cut_before_the_best_are_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also those about a company that left: what was reported of it then stays visible."""
    monkeypatch.setattr(search, "NAMES", 2)
    scope = a_unit_among_others(own=1, others=3)
    left = a_company("000000200", "Alpha gone").duns
    a_subject(left, one(), monitored_since=MOMENT, monitored_until=MOMENT)
    found = of_companies(visible_to(scope, Subject.objects.all()), "alpha", scope)
    assert sorted(found.values_list("company_id", flat=True)) == ["000000100", left]


def test_the_index_leads_from_the_beginning_of_a_word_to_its_companies() -> None:
    if connection.vendor not in ("sqlite", "postgresql"):
        pytest.skip("its plans are told otherwise")
    write_company_words((f"{number:09}", f"name{number}", "") for number in range(3000))
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    rows = CompanyWord.objects.filter(key__range=CompanyWord.keys_from("name77")).values_list("key")
    plan = rows.order_by("key")[:100].explain()
    assert "autoindex" in plan or "Index Only Scan" in plan or "companyword_pkey" in plan


def test_words_of_any_length_keep_their_order_on_every_engine() -> None:
    words = ["a", "ab", "abc", "z", "zz", "é", "日立製作所グループ", "日立", "x" * 40]
    for number, word in enumerate(words):
        CompanyWord.objects.create(key=CompanyWord.key_of(word, f"{number:09}"), duns=f"{number:09}")
    for prefix in ("a", "ab", "z", "日", "日立製", "x" * 20, "é"):
        rows = CompanyWord.objects.filter(key__range=CompanyWord.keys_from(prefix)).order_by("key")
        expected = {
            f"{number:09}" for number, word in enumerate(words) if word.encode()[:12].startswith(prefix.encode()[:12])
        }
        assert set(rows.values_list("duns", flat=True)) == expected, prefix
        assert key_ends(rows, DUNS_BYTES) == [int(duns) for duns in rows.values_list("duns", flat=True)]


def test_verification_changes_nothing_that_is_right() -> None:
    a_company(DUNS, "Acme Forge", city="Leeds")
    a_subject(DUNS, tags="key")
    before = set(CompanyWord.objects.values_list("key", flat=True)), Company.objects.get().version
    verify_words([DUNS])
    assert (set(CompanyWord.objects.values_list("key", flat=True)), Company.objects.get().version) == before
