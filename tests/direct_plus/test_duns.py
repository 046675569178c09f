"""D-U-N-S numbers in every spelling people use, and what is said about those that are none."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from direct_plus.duns import Flaw, InvalidDuns, LostLeadingZero, format_duns, normalise_duns


@pytest.mark.parametrize(
    "text",
    [
        "150483782",
        "15-048-3782",
        " 15 048 3782\n",
        "15\N{NO-BREAK SPACE}048\N{NARROW NO-BREAK SPACE}3782",
        "15\N{EN DASH}048\N{EM DASH}3782",
        "15\N{NON-BREAKING HYPHEN}048\N{MINUS SIGN}3782",
        "\ufeff150483782\N{ZERO WIDTH SPACE}",
        "'150483782",
        '"15-048-3782"',
        "\N{RIGHT SINGLE QUOTATION MARK}150483782",
        "DUNS: 150483782",
        "duns 15-048-3782",
        "D-U-N-S® Number: 15-048-3782",
        "DUNS_NO=150483782",
    ],
)
def test_spellings_of_one_number(text: str) -> None:
    assert normalise_duns(text) == "150483782"


def test_leading_zeros_and_any_check_digit_are_fine() -> None:
    assert normalise_duns("000000001") == "000000001"
    assert {normalise_duns(f"15048378{last}") for last in range(10)} == {f"15048378{last}" for last in range(10)}


def test_eight_digits_are_a_question_with_a_suggestion() -> None:
    with pytest.raises(LostLeadingZero) as caught:
        normalise_duns("5-048-3782")
    assert caught.value.suggestion == "050483782"
    assert caught.value.kind is Flaw.LOST_ZERO
    assert "05-048-3782" in caught.value.reason


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("", Flaw.EMPTY),
        (" - ", Flaw.EMPTY),
        ("1234567", Flaw.TOO_SHORT),
        ("1234567890", Flaw.TOO_LONG),
        ("15048378A", Flaw.CHARACTERS),
        ("15.048.3782", Flaw.CHARACTERS),
        ("150483782.0", Flaw.CHARACTERS),
        ("1.50483782E8", Flaw.CHARACTERS),
        ("١٥٠٤٨٣٧٨٢", Flaw.CHARACTERS),
        ("15048378²", Flaw.CHARACTERS),
        ("150483782\0", Flaw.CHARACTERS),
        ("'", Flaw.EMPTY),
        ("DUNS:", Flaw.CHARACTERS),
        ("VAT 150483782", Flaw.CHARACTERS),
        ("150'483'782", Flaw.CHARACTERS),
    ],
)
def test_what_is_wrong_is_told(text: str, kind: Flaw) -> None:
    with pytest.raises(InvalidDuns) as caught:
        normalise_duns(text)
    assert caught.value.kind is kind
    assert caught.value.reason == str(caught.value)


def test_one_digit_is_one_digit() -> None:
    with pytest.raises(InvalidDuns, match="0 has 1 digit; a D-U-N-S number has nine"):
        normalise_duns("0")


def test_numbers_are_shown_in_groups() -> None:
    assert format_duns("150483782") == "15-048-3782"


@given(st.from_regex(r"[0-9]{9}", fullmatch=True))
def test_showing_and_reading_agree(duns: str) -> None:
    assert normalise_duns(format_duns(duns)) == duns


@given(st.text())
def test_any_text_is_nine_digits_or_refused(text: str) -> None:
    try:
        assert len(normalise_duns(text)) == 9
    except InvalidDuns as error:
        assert error.reason


@pytest.mark.parametrize(("text", "is_advised"), [("1234567", True), ("123456", True), ("12345", False)])
def test_a_number_that_may_have_lost_several_zeros_gets_advice(text: str, is_advised: bool) -> None:
    with pytest.raises(InvalidDuns) as caught:
        normalise_duns(text)
    assert ("If a spreadsheet dropped leading zeros, enter all nine digits" in caught.value.reason) == is_advised
