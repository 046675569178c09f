"""Amounts in the dress of any system, exactly; what is not clear is refused with a sentence."""

import pytest

from portfolio.exposure.amounts import Amount, BadAmount, TwoReadings, mark_in, read_amount


@pytest.mark.parametrize(
    ("text", "cents", "currency"),
    [
        ("1234", 123_400, ""),
        ("1234.5", 123_450, ""),
        ("1,234.56", 123_456, ""),
        ("1.234,56", 123_456, ""),
        ("1 234,56", 123_456, ""),
        ("1\u202f234,56 €", 123_456, "EUR"),
        ("1'234.56", 123_456, ""),
        ("CHF 1'000", 100_000, "CHF"),
        ("CHF 1’000.-", 100_000, "CHF"),
        ("1.234,- EUR", 123_400, "EUR"),
        ("1.234.567", 123_456_700, ""),
        ("1,234,567.8", 123_456_780, ""),
        ("12,34,567.00", 123_456_700, ""),
        ("1 234.567", 123_457, ""),
        ("0.125", 13, ""),
        ("1234.567", 123_457, ""),
        ("usd 5", 500, "USD"),
        ("£12.30", 1_230, "GBP"),
        ("Fr. 7.50", 750, "CHF"),
        ("1.5E+06", 150_000_000, ""),
        ("１２３,45", 12_345, ""),
        ("0", 0, ""),
        ("(500)", -50_000, ""),
        ("-500", -50_000, ""),
        ("500-", -50_000, ""),
        ("−1.234,56", -123_456, ""),
        ("EUR (1,234.56)", -123_456, "EUR"),
    ],
)
def test_any_usual_dress_is_read(text: str, cents: int, currency: str) -> None:
    assert read_amount(text) == Amount(cents, currency)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "missing"),
        ("n/a", "not an amount"),
        ("#N/A", "not an amount"),
        ("TEUR 500", "not an amount"),
        ("1.2m", "not an amount"),
        ("12 34", "not an amount"),
        ("1,23,4", "not an amount"),
        ("1.234,567.89", "not an amount"),
        ("12-34", "not an amount"),
        ("$ 5", "several currencies"),
        ("XYZ 5", "not a currency"),
        ("EUR 5 USD", "two currencies"),
        ("10,000,000,000,000.00", "too large"),
    ],
)
def test_what_is_not_clear_is_refused(text: str, says: str) -> None:
    with pytest.raises(BadAmount, match=says):
        read_amount(text)


@pytest.mark.parametrize(("text", "point", "comma"), [("1,234", 123_400, 123), ("12.500", 1_250, 1_250_000)])
def test_two_readings_need_the_mark_of_the_file(text: str, point: int, comma: int) -> None:
    with pytest.raises(TwoReadings):
        read_amount(text)
    assert read_amount(text, ".").cents == point
    assert read_amount(text, ",").cents == comma


@pytest.mark.parametrize(
    ("text", "mark"),
    [("1,234.5", "."), ("1.234.567", ","), ("0,5", ","), ("12.50", "."), ("1,234", ""), ("1234", ""), ("x", "")],
)
def test_an_amount_proves_the_decimal_separator_or_not(text: str, mark: str) -> None:
    assert mark_in(text) == mark
