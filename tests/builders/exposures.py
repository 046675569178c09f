"""Amounts at stake with companies."""

from datetime import date

from portfolio.exposure.upload import apply_exposure, create_exposure_import, read_exposure
from portfolio.models import ExposureImport
from tests.builders.people import an_actor

DAY = date(2026, 3, 31)


def an_exposure_import(
    *lines: str, mode: str = "replace", book: str = "receivables", currency: str = "EUR", as_of: date = DAY
) -> ExposureImport:
    """A file of these lines, uploaded and not read yet."""
    return create_exposure_import(
        content="\n".join(lines).encode(),
        file_name="amounts.csv",
        mode=mode,
        book=book,
        currency=currency,
        as_of=as_of,
        source="upload",
        requested_by="ann",
    )


def exposure(*lines: str, mode: str = "replace", book: str = "receivables", as_of: date = DAY) -> ExposureImport:
    """Amounts that count: a line is a D-U-N-S number and an amount, with what else the header names."""
    header = () if lines and "amount" in lines[0].casefold() else ("D-U-N-S;Amount",)
    upload = an_exposure_import(*header, *lines, mode=mode, book=book, as_of=as_of)
    read_exposure(upload)
    apply_exposure(upload, applied_by=an_actor("ann"))
    return upload
