"""What the pages of exposure show: an import and what to do with it, and what is at stake today."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date
from itertools import islice
from typing import Any

from django.http import HttpRequest
from django.utils.translation import gettext, ngettext

from core import plurals
from core.bulk import among
from core.text import counted, day_text
from portfolio.companies.columns import exposure_in
from portfolio.exposure.books import book_label
from portfolio.exposure.currencies import code_of
from portfolio.exposure.days import today
from portfolio.exposure.flaws import COUNTED, Check
from portfolio.exposure.ledger import companies_left_out
from portfolio.exposure.money import amount_text, money_text
from portfolio.exposure.packed import Part, parts_of
from portfolio.exposure.rates import exposure_settings, rates_at
from portfolio.exposure.upload import accepted
from portfolio.exposure.validate import ExposureRow
from portfolio.imports.admin.uploads import ROWS_A_PAGE, TONES, page_number, progress_of, rows_on, tiles_of, waits_long
from portfolio.imports.chunks import stored_rows
from portfolio.imports.states import IN_WORK, counts_of, sheets_of
from portfolio.models import Company, ExposureImport, ExposureMode, ImportState
from portfolio.registrations.memberships import distinct, numbers_at

LARGEST = 20
NAMED = 20
PARTS_SHOWN = 50
# What is known elsewhere of the companies of an import, once its amounts are checked: each returns more for its page.
BESIDE_AMOUNTS: list[Callable[[HttpRequest, ExposureImport], Mapping[str, Any]]] = []
CHECK_TONES = {Check.ACCEPTED: "good", Check.NOT_LISTED: "info", Check.DUPLICATE: "warn", Check.DECISION: "warn"}


def page_of(request: HttpRequest, row: ExposureImport, *, may_change: bool) -> dict[str, Any]:
    """All that the template of an import shows."""
    counts, shown = counts_of(row), request.GET.get("validation", "")
    page = page_number(request.GET.get("page", ""))
    found = rows_on(page, _rows(row, shown))
    is_read = row.state == ImportState.READ
    names = _names_of([one.duns for one in found])
    undecided = counts.get(Check.DECISION, 0) if is_read and not row.decimal_mark else 0
    return {
        "tone": TONES[ImportState(row.state)],
        "lead": _lead_of(row),
        "is_in_work": row.state in IN_WORK,
        "waits_long": waits_long(row),
        "progress": progress_of(row),
        "sheets": sheets_of(row),
        "parts": [(book_label(one.book), one.day, one.companies, _sums(one)) for one in parts_of(row)[:PARTS_SHOWN]],
        "has_several_days": row.mode == ExposureMode.REPLACE and _has_several_days(parts_of(row)),
        "tiles": list(tiles_of(counts, Check.choices, CHECK_TONES, shown)),
        "rows": [
            (one, CHECK_TONES.get(Check(one.validation), "bad"), names.get(one.duns, "")) for one in found[:ROWS_A_PAGE]
        ],
        "shown": shown,
        "page": page,
        "has_more": len(found) > ROWS_A_PAGE,
        "may_change": may_change,
        "undecided": undecided,
        "examples": list(islice(_rows(row, Check.DECISION), 3)) if undecided else [],
        "may_apply": is_read and not undecided and accepted(row) > 0,
        "losing": list(_losing(row)) if is_read else [],
        "left_out": _left_out(counts) if is_read else "",
        **_beside(request, row, is_settled=not undecided),
    }


def _beside(request: HttpRequest, row: ExposureImport, *, is_settled: bool) -> dict[str, Any]:
    has_amounts = row.state in (ImportState.READ, ImportState.APPLIED) and row.positions and is_settled
    found = (more(request, row) for more in BESIDE_AMOUNTS) if has_amounts else ()
    return {name: value for one in found for name, value in one.items()}


def _names_of(numbers: Sequence[str]) -> dict[str, str]:
    keys = {duns for duns in numbers if duns}
    return dict(Company.objects.filter(pk__in=keys).values_list("pk", "name")) if keys else {}


def _losing(row: ExposureImport) -> Iterator[str]:
    """What replacing a book takes away, with the first names."""
    for part, gone in companies_left_out(row, PARTS_SHOWN):
        shown = gone[:NAMED]
        names = _names_of(shown)
        words = ngettext(
            "%(count)s company with “%(book)s” is not in the file and has none from %(day)s on: %(names)s",
            "%(count)s companies with “%(book)s” are not in the file and have none from %(day)s on: %(names)s",
            len(gone),
        )
        told = {"count": counted(len(gone)), "book": book_label(part.book), "day": day_text(part.day)}
        more = " …" if len(gone) > NAMED else ""
        yield words % {**told, "names": ", ".join(names.get(duns) or duns for duns in shown) + more}


def _lead_of(row: ExposureImport) -> str:
    return {
        ImportState.UPLOADED: gettext("The file is uploaded. Checking starts in a moment. You may leave this page."),
        ImportState.READING: gettext("Every row is being checked. You may leave this page."),
        ImportState.READ: gettext("All rows are checked. No amounts are used until a user applies the import."),
        ImportState.APPLIED: gettext("Applied. The amounts are in use from their days on."),
        ImportState.UNDONE: gettext("Undone. The amounts are not used."),
        ImportState.CANCELLED: gettext("Cancelled. No changes were made."),
    }.get(ImportState(row.state), "")


def _left_out(counts: dict[str, int]) -> str:
    rows = sum(count for check, count in counts.items() if check not in COUNTED)
    return gettext("Not applied because of errors: %(rows)s.") % {"rows": plurals.rows(rows)} if rows else ""


def _rows(row: ExposureImport, check: str) -> Any:
    """None where there is no such validation."""
    return (one for one in stored_rows(row, ExposureRow) if not check or one.validation == check)


def _has_several_days(parts: list[Part]) -> bool:
    books = [one.book.casefold() for one in parts]
    return len(books) > len(set(books))


def _sums(part: Part) -> list[str]:
    return [money_text(cents, currency) for currency, cents in sorted(part.amounts.items())]


def sums_text(row: ExposureImport) -> str:
    """For the list: its books and their sums, in a few words."""
    parts = parts_of(row)
    texts = [f"{book_label(one.book)}: {', '.join(_sums(one))}" for one in parts[:3]]
    return " · ".join(texts) + (" …" if len(parts) > 3 else "")


# What is at stake today


def overview_of(*, may_change: bool) -> dict[str, Any]:
    from portfolio.exposure.ledger import books_in_use
    from portfolio.exposure.totals import exposures_at

    exposures, settings = exposures_at(), exposure_settings()
    return {
        "currency": exposures.currency,
        "exposure_heading": exposure_in(exposures.currency),
        "rates_currency": settings.rates_currency,
        "total": money_text(int(exposures.cents.sum()), exposures.currency),
        "companies": len(exposures.duns),
        "books": [_book_line(book) for book in books_in_use(today())],
        "apart": [
            (currency, companies, money_text(cents, currency))
            for currency, (companies, cents) in exposures.unconverted.items()
        ],
        "too_large": [code for code in exposures.unconverted if rates_at(today()).factor(code)],
        "largest": _largest(exposures),
        "outside": _outside(exposures),
        "may_change": may_change,
    }


def _book_line(book: Any) -> tuple[str, date | None, int, list[str]]:
    import numpy as np

    sums = []
    for number in np.unique(book.currencies).tolist():
        cents = int(book.cents[book.currencies == number].sum())
        sums.append(money_text(cents, code_of(number)))
    last = date.fromordinal(int(book.days.max())) if len(book.days) else None
    return book_label(book.name), last, len(book.duns), sums


def _outside(exposures: Any) -> dict[str, Any] | None:
    """What the pages about the portfolio leave out; of these companies, those that have a page here."""
    import numpy as np

    from portfolio.exposure.totals import outside

    monitored = distinct(np.concatenate([np.empty(0, np.uint32), *numbers_at(None).values()]))
    numbers, cents = outside(exposures.duns, exposures.cents, monitored)
    known = Company.objects.filter(among("duns", [f"{number:09d}" for number in numbers.tolist()]), exposure__gte=0)
    amount = money_text(cents, exposures.currency)
    return {"companies": len(numbers), "amount": amount, "known": known.count()} if len(numbers) else None


def _largest(exposures: Any) -> list[tuple[Company, str]]:
    import numpy as np

    places = np.argsort(exposures.cents, kind="stable")[::-1][:LARGEST].tolist()
    amounts = {f"{int(exposures.duns[place]):09d}": int(exposures.cents[place]) for place in places}
    rows = Company.objects.in_bulk(list(amounts))
    return [(rows.get(duns) or Company(duns=duns), amount_text(cents)) for duns, cents in amounts.items()]
