"""The money at stake on open alerts, kept as companies show it: closed ones keep what it was."""

from __future__ import annotations

from collections.abc import Sequence

from core.bulk import update_rows
from core.db import in_batches
from monitoring.alerts.own_alerts import OPEN
from monitoring.models import Alert
from portfolio.models import Company


def follow_exposure(duns: Sequence[str]) -> None:
    """Of these companies, of which another amount is shown now."""
    for batch in in_batches(duns):
        open_alerts = list(Alert.objects.filter(company__in=batch, state__in=OPEN).values_list("pk", "company_id"))
        numbers = {company for _, company in open_alerts}
        shown = dict(Company.objects.filter(pk__in=numbers).values_list("pk", "exposure")) if numbers else {}
        update_rows(Alert, ("exposure",), [(key, shown.get(company) or 0) for key, company in open_alerts])
