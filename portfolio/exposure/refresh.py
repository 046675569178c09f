"""The columns of companies that show what is at stake: made of the amounts that count and today's rates."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from datetime import timedelta
from operator import itemgetter

from django.db import transaction
from django.db.models import Q

from core.bulk import update_together
from core.db import in_batches, insert_new
from core.leases import Hold, HoldLost, holding
from core.models import Lease
from portfolio.exposure.days import today
from portfolio.exposure.ledger import layers_at
from portfolio.exposure.rates import KEY, exposure_settings, rates_at
from portfolio.exposure.totals import exposures_at
from portfolio.models import Company, ExposureSettings

AT_ONCE = 500
STEP = timedelta(minutes=2)
# What else shows the same money: each is given companies that changed.
FOLLOWERS: list[Callable[[list[str]], None]] = []
Shown = tuple[int | None, bool]


def refresh_columns() -> int:
    """Write what companies show, where it differs; again, until nothing has changed since it was read. Returns how many
    were written; none while another process does it, and where they are right already."""
    if exposure_settings().columns_of == _fingerprint():
        return 0
    insert_new(ExposureSettings, [ExposureSettings()])
    with holding("exposure-columns", STEP) as hold:
        return _refresh(hold) if hold else 0


def _refresh(hold: Hold[Lease]) -> int:
    has_died = not exposure_settings().columns_of
    made_of, before, written = _fingerprint(), "", 0
    try:
        while made_of != before:
            _note("")
            written += _write(_to_show(), hold)
            made_of, before = _fingerprint(), made_of
        if has_died:
            # Where the database has no transactions, behind the columns and before those that follow them.
            for batch in in_batches(list(_shown_now()), AT_ONCE):
                hold.renew()
                _notify(list(batch))
        hold.renew()
    except HoldLost:
        # Whoever has the hold may have noted what these columns no longer show.
        _note("")
        raise
    _note(made_of)
    return written


def _note(made_of: str) -> None:
    ExposureSettings.objects.filter(pk=KEY).update(columns_of=made_of)


def _fingerprint() -> str:
    day = today()
    rates, layers = rates_at(day), layers_at(day)
    # A company that is listed after its amount came shows it too.
    companies = Company.objects.count() if layers else 0
    made_of = day, layers, companies, rates.reporting_currency, sorted(rates.values.items())
    return hashlib.sha256(repr(made_of).encode()).hexdigest()


def _write(to_show: dict[str, Shown], hold: Hold[Lease]) -> int:
    changes = sorted(_differences(to_show), key=itemgetter(0))
    for batch in in_batches(changes, AT_ONCE):
        hold.renew()
        with transaction.atomic():
            update_together(Company, ("exposure", "exposure_unconverted"), batch)
            _notify([duns for duns, *_ in batch])
            hold.renew()
    return len(changes)


def _differences(to_show: dict[str, Shown]) -> Iterator[tuple[str, int | None, bool]]:
    shown = _shown_now()
    for duns, value in to_show.items():
        if shown.pop(duns, (None, False)) != value:
            yield (duns, *value)
    yield from ((duns, None, False) for duns in shown)


def _shown_now() -> dict[str, Shown]:
    rows = Company.objects.filter(Q(exposure__isnull=False) | Q(exposure_unconverted=True))
    return {
        duns: (cents, is_apart) for duns, cents, is_apart in rows.values_list("pk", "exposure", "exposure_unconverted")
    }


def _to_show() -> dict[str, Shown]:
    if not layers_at(today()):
        # Without loading what sums are made with: most processes of an installation without amounts never need it.
        return {}
    exposures = exposures_at()
    apart = set(exposures.unconverted_duns.tolist())
    shown: dict[str, Shown] = {f"{duns:09d}": (None, True) for duns in apart}
    shown.update((f"{duns:09d}", (cents, duns in apart)) for duns, cents in exposures.by_duns.items())
    return shown


def _notify(duns: list[str]) -> None:
    for follower in FOLLOWERS if duns else ():
        follower(duns)
