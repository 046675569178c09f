"""The searches of an import, one after the other, until they are done, stopped, or the time is over."""

from __future__ import annotations

import uuid
from datetime import datetime

from django.utils import timezone

from core.db import clean_text
from portfolio.company_search.search import SearchStopped, run_search
from portfolio.models import CompanySearch, SearchState


def work_on_searches(key: uuid.UUID, *, until: datetime) -> bool:
    """Several processes may do this: each row is taken by one. True while rows are left."""
    waiting = CompanySearch.objects.filter(subject_import=key, state=SearchState.WAITING).order_by("line")
    while search := waiting.select_related("contract").first():
        if timezone.now() >= until:
            return True
        try:
            run_search(search)
        except SearchStopped as error:
            waiting.order_by().update(state=SearchState.STOPPED, error=clean_text(str(error), 500))
    return False
