"""Records: the same for `struct` and numpy, and read back as they were."""

import numpy
import pytest

from monitoring.figures.catalog import Figures
from monitoring.figures.record import ENTRY, NAMES, STRUCT, entry_dtype, pack, record_dtype, unpack, words_in
from monitoring.figures.words import all_words, numbers_of
from monitoring.models import FigureWord
from tests.builders.figures import KNOWN

pytestmark = pytest.mark.django_db


def test_a_record_is_read_back() -> None:
    for figures in (KNOWN, Figures(), Figures(failure_percentile=100, flags=0, limit_amount=0, employees=10**9)):
        numbers = numbers_of(words_in([figures]))
        assert unpack(pack("000000012", figures, numbers), all_words()) == figures


def test_numpy_reads_the_same() -> None:
    assert (record_dtype().itemsize, entry_dtype().itemsize) == (STRUCT.size, ENTRY.size)
    assert record_dtype().names == NAMES
    packed = pack("999999999", KNOWN, numbers_of(words_in([KNOWN])))
    row = numpy.frombuffer(packed, dtype=record_dtype())[0]
    assert (row["duns"], row["failure_percentile"], row["limit_amount"]) == (999_999_999, 42, 2500.0)
    assert (row["delinquency_incidence"], row["flags"], row["parent"]) == (0xFFFF, 4, 1_234_567)
    assert row.tobytes() == packed


def test_a_text_has_one_number_and_a_number_one_text() -> None:
    first = numbers_of({("rating", "5A1"): "", ("rating", "5A2"): "", ("country", "DE"): ""})
    again = numbers_of({("country", "FR"): "", ("rating", "5A2"): ""})
    assert first == {("rating", "5A1"): 1, ("rating", "5A2"): 2, ("country", "DE"): 1}
    assert again == {("country", "FR"): 2, ("rating", "5A2"): 2}


def test_an_industry_gets_its_description_when_it_is_known() -> None:
    numbers_of({("industry", "399\t2011"): ""})
    numbers_of({("industry", "399\t2011"): "Meat packing"})
    numbers_of({("industry", "399\t2011"): "Meat"})
    assert FigureWord.objects.get().label == "Meat packing"


def test_where_there_are_too_many_texts_the_rest_is_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("monitoring.figures.words.MOST", 1)
    assert numbers_of({("status", "A"): "", ("status", "B"): ""}) == {("status", "A"): 1, ("status", "B"): 0}
