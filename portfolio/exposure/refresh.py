"""The columns of companies that show what is at stake: made of the amounts that count and today's rates."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from datetime import timedelta

from django.db import transaction
from django.db.models import Q

from core.bulk import update_rows
from core.db import in_batches, insert_new
from core.leases import Hold, holding
from core.models import Lease
from portfolio.exposure.days import today
from portfolio.exposure.ledger import layers_at
from portfolio.exposure.rates import KEY, exposure_settings, rates_at
from portfolio.exposure.totals import Exposures, exposures_at
from portfolio.models import Company, ExposureSettings

AT_ONCE = 5_000
STEP = timedelta(minutes=2)
# What else shows the same money: each is given companies that changed.
FOLLOWERS: list[Callable[[list[str]], None]] = []
Shown = tuple[int | None, bool]


def refresh_columns() -> int:
    """Write what companies show, where it differs; again, until nothing has changed since it was read. Returns how many
    were written; none while another process does it, and where they are right already."""
    if exposure_settings().columns_of == (made_of := _fingerprint()):
        return 0
    insert_new(ExposureSettings, [ExposureSettings()])
    written = 0
    with holding("exposure-columns", STEP) as hold:
        while hold:
            _note("")
            written += _write(exposures_at(), hold)
            made_of, before = _fingerprint(), made_of
            if made_of == before:
                _note(made_of)
                break
    return written


def _note(made_of: str) -> None:
    ExposureSettings.objects.filter(pk=KEY).update(columns_of=made_of)


def _fingerprint() -> str:
    day = today()
    rates = rates_at(day)
    made_of = day, layers_at(day), rates.reporting_currency, sorted(rates.values.items())
    return hashlib.sha256(repr(made_of).encode()).hexdigest()


def _write(exposures: Exposures, hold: Hold[Lease]) -> int:
    changes = list(_differences(exposures))
    for batch in in_batches(changes, AT_ONCE):
        hold.renew()
        with transaction.atomic():
            update_rows(Company, ("exposure", "exposure_unconverted"), batch)
    _notify([duns for duns, *_ in changes])
    return len(changes)


def _differences(exposures: Exposures) -> Iterator[tuple[str, int | None, bool]]:
    shown = _shown_now()
    for duns, value in _to_show(exposures):
        if shown.pop(duns, (None, False)) != value:
            yield (duns, *value)
    yield from ((duns, None, False) for duns in shown)


def _shown_now() -> dict[str, Shown]:
    rows = Company.objects.filter(Q(exposure__isnull=False) | Q(exposure_unconverted=True))
    return {
        duns: (cents, is_apart) for duns, cents, is_apart in rows.values_list("pk", "exposure", "exposure_unconverted")
    }


def _to_show(exposures: Exposures) -> Iterator[tuple[str, Shown]]:
    apart = set(exposures.unconverted_duns.tolist())
    for duns, cents in exposures.by_duns.items():
        yield f"{duns:09d}", (cents, duns in apart)
    yield from ((f"{duns:09d}", (None, True)) for duns in apart - exposures.by_duns.keys())


def _notify(duns: list[str]) -> None:
    for follower in FOLLOWERS if duns else ():
        follower(duns)
