"""Names become words: without accents, case and legal forms, and in other scripts by their pieces."""

import random
import unicodedata

import pytest

from portfolio.companies.legal_forms import LEGAL_FORMS
from portfolio.companies.words import asked_words, begins_a_word, folded, words_of, words_of_name

NAMES = [
    ("Åkesson AB", {"akesson", "aakesson"}),
    ("Smith & Forge Ltd.", {"smith", "forge"}),
    ("Müller GmbH & Co. KG", {"muller", "mueller"}),
    ("A.P. Møller - Mærsk A/S", {"ap", "a", "p", "moller", "moeller", "maersk"}),
    ("H&M Hennes & Mauritz AB", {"hm", "h", "m", "hennes", "mauritz"}),
    ("O'Reilly Media, Inc.", {"oreilly", "o", "reilly", "media"}),
    ("Coca-Cola", {"cocacola", "coca", "cola"}),
    ("The Limited", {"the", "limited"}),
    ("Straße ŁÓDŹ ıİI ﬁne ＡＣＭＥ", {"strasse", "lodz", "iii", "fine", "acme"}),
    ("株式会社日立製作所", {"日立製作所", "立製作所", "製作所", "作所", "所"}),
    ("㈱ガス", {"ガス", "ス"}),
    ("삼성전자 주식회사", {"삼성전자", "성전자", "전자", "자"}),
    ("ООО Ёлка", {"елка"}),
    ("100% Pure_Gold", {"100", "pure", "gold"}),
    ("", set()),
    ("%", set()),
]


@pytest.mark.parametrize(("name", "words"), NAMES)
def test_a_name_is_found_by_these_words(name: str, words: set[str]) -> None:
    assert words_of_name(name) == words


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("Forge Ltd", [("forge",)]),
        ("Müller", [("muller", "mueller")]),
        ("o'reilly", [("oreilly",)]),
        ("H&M", [("hm",)]),
        ("a.p. moller", [("ap",), ("moller",)]),
        ("Marks&Spencer", [("marks",), ("spencer",)]),
        ("V-1001", [("v",), ("1001",)]),
        ("日立製", [("日立製",)]),
        ("株式会社日立", [("日立",)]),
        ("GmbH", [("gmbh",)]),
        ("a/s", [("as",)]),
        (" % _ ", []),
    ],
)
def test_what_is_typed_becomes_words_to_look_for(typed: str, words: list[tuple[str, ...]]) -> None:
    assert asked_words(typed) == words


@pytest.mark.parametrize(
    ("typed", "name"),
    [
        ("akess", "Åkesson AB"),
        ("ÅKESSON", "AKESSON"),
        ("mueller", "Müller"),
        ("müller", "MUELLER"),
        ("forge smi", "Smith & Forge Ltd"),
        ("acme corpo", "ACME Corporation"),
        ("acme in", "Acme Industries"),
        ("smith and forge", "Smith & Forge"),
        ("novo nordisk a/s", "Novo Nordisk"),
        ("製作", "日立製作所"),
        ("24/7", "24/7 Services"),
    ],
)
def test_every_word_typed_begins_a_word_of_the_name(typed: str, name: str) -> None:
    assert all(begins_a_word(word, words_of(name)) for word in asked_words(typed))


def test_folding_again_changes_nothing() -> None:
    chance = random.Random(16)
    for _ in range(2000):
        text = "".join(
            chr(chance.choice([chance.randrange(32, 0x600), chance.randrange(0x3000, 0xD7FF)])) for _ in "123"
        )
        assert folded(folded(text)) == folded(text), text.encode("unicode-escape")


def test_accents_do_not_matter_however_they_are_written() -> None:
    for name, _ in NAMES:
        for form in ("NFC", "NFD"):
            assert words_of_name(unicodedata.normalize(form, name)) == words_of_name(name), (name, form)


def test_legal_forms_are_written_as_words_are() -> None:
    assert [form for form in LEGAL_FORMS if folded(form) != form] == []
