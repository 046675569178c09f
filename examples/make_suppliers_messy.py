"""Makes suppliers_messy.xlsx: a supplier list as purchasing keeps it, with all that goes wrong in one. Always the same.

python -m examples.make_suppliers_messy
"""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import xlsxwriter

PATH = Path(__file__).with_name("suppliers_messy.xlsx")
ROWS = 5_000
HEADER = ("Supplier no.", "", "D-U-N-S® Number", "Supplier name", "Country", "Category", "Buyer")
FIRST = ("Alder", "Birch", "Castell", "Dornbusch", "Évian", "Falk", "Grønland", "Hæstad", "Iberia", "Jurić", "Kestrel")
SECOND = ("Bearings", "Chemie", "Forge", "Logistik", "Møbler", "Packaging", "Plastics", "Stahl", "Textiles", "Valves")
FORMS = ("Ltd", "GmbH", "AG", "S.A.", "B.V.", "A/S", "Inc.", "& Söhne KG", "d.o.o.")
COUNTRIES = ("GB", "DE", "FR", "NL", "DK", "US", "HR", "CH")
CATEGORIES = ("raw material", "packaging, transport", "services", "machines", "")
BUYERS = ("A. Meier", "J. Okafor", "S. Lindqvist", "")
NO_NUMBER = ("n/a", "pending", "see note", "to be confirmed", "VAT 8812", "-", "?", "ask J. Okafor", "#N/A", "none")

Write = Callable[[Any, int, int, str], Any]


def text(sheet: Any, row: int, column: int, duns: str) -> None:
    sheet.write_string(row, column, duns)


def dashed(sheet: Any, row: int, column: int, duns: str) -> None:
    sheet.write_string(row, column, f"{duns[:2]}-{duns[2:5]}-{duns[5:]}")


def with_long_dashes(sheet: Any, row: int, column: int, duns: str) -> None:
    sheet.write_string(row, column, f"{duns[:2]}–{duns[2:5]}–{duns[5:]}")


def spaced(sheet: Any, row: int, column: int, duns: str) -> None:
    sheet.write_string(row, column, f"\u00a0{duns[:3]} {duns[3:6]} {duns[6:]} ")


def numeric(sheet: Any, row: int, column: int, duns: str) -> None:
    """Where the number begins with a zero, the zero is gone."""
    sheet.write_number(row, column, int(duns))


def formula(sheet: Any, row: int, column: int, duns: str) -> None:
    sheet.write_formula(row, column, f'="{duns[:4]}"&"{duns[4:]}"', None, duns)


def too_long(sheet: Any, row: int, column: int, duns: str) -> None:
    sheet.write_string(row, column, f"{duns}0")


def too_short(sheet: Any, row: int, column: int, duns: str) -> None:
    sheet.write_string(row, column, duns[:6])


def labelled(sheet: Any, row: int, column: int, duns: str) -> None:
    sheet.write_string(row, column, f"DUNS {duns}")


def nothing(sheet: Any, row: int, column: int, duns: str) -> None:
    """Nobody knows the number."""


def words(sheet: Any, row: int, column: int, duns: str) -> None:
    sheet.write_string(row, column, NO_NUMBER[int(duns) % len(NO_NUMBER)])


WAYS: tuple[tuple[Write, int], ...] = (
    *((text, 500), (dashed, 170), (with_long_dashes, 30), (spaced, 60), (numeric, 160), (formula, 20)),
    *((words, 20), (nothing, 12), (too_long, 10), (too_short, 8), (labelled, 10)),
)


def make(path: Path = PATH) -> None:
    chance = random.Random(20260105)
    with xlsxwriter.Workbook(path) as book:
        book.set_properties({"created": datetime(2026, 1, 5), "title": "Suppliers"})
        sheet = book.add_worksheet("Suppliers")
        sheet.write_string(0, 0, "Suppliers, all plants")
        for column, word in enumerate(HEADER):
            sheet.write(2, column, word)
        _write_rows(sheet, chance)
        _add_junk(book)


def _write_rows(sheet: Any, chance: random.Random) -> None:
    known: list[str] = []
    ways, weights = zip(*WAYS, strict=True)
    for number in range(ROWS):
        row = number + 3
        again = bool(known) and chance.random() < 0.03
        duns = chance.choice(known) if again else a_number(chance)
        known.append(duns)
        sheet.write_string(row, 0, f"S-{10_000 + number}")
        chance.choices(ways, weights)[0](sheet, row, 2, duns)
        name = f"{chance.choice(FIRST)} {chance.choice(SECOND)} {chance.choice(FORMS)}"
        for column, word in enumerate((name, *map(chance.choice, (COUNTRIES, CATEGORIES, BUYERS))), start=3):
            sheet.write_string(row, column, word)


def a_number(chance: random.Random) -> str:
    """One in six begins with a zero, as they do."""
    return f"0{chance.randrange(10**7, 10**8)}" if chance.random() < 0.16 else str(chance.randrange(10**8, 10**9))


def _add_junk(book: Any) -> None:
    """What nobody sees: a hidden sheet with other numbers."""
    sheet = book.add_worksheet("old")
    sheet.write_row(0, 0, ("DUNS", "Name"))
    sheet.write_row(1, 0, ("999999999", "Do not import this"))
    sheet.hide()


if __name__ == "__main__":
    make()
