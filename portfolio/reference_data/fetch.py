"""Fetching D&B's lists of codes: a user confirms the calls, a worker makes them, and a month later makes them again."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext

from core.audit import record
from core.db import clean_text, insert_new
from core.jobs import ask_worker
from direct_plus.client import DirectPlus
from direct_plus.errors import BadRequest, DirectPlusError, NotFound
from portfolio.call_budgets.calls import BudgetUsedUp, confirm_calls, counted_call, require_calls
from portfolio.dnb_client import NotConfigured, client_for
from portfolio.models import CallKind, Contract, ReferenceCategory, ReferenceCode, ReferenceList
from portfolio.reference_data.words import ENGLISH, forget_words

logger = logging.getLogger(__name__)
FETCH = "portfolio.reference_data.fetch.fetch_due"
MONTHLY, REFRESH_AFTER = "Monthly refresh", timedelta(days=30)
WORKING_TIME = timedelta(seconds=50)
# What D&B calls languages, where it is not "de-DE".
DNB_LANGUAGES = {"en": "en-US", "ja": "ja-JP", "zh": "zh-CN"}
# What D&B may call a category beside our name for it, which is its member in D&B's documents.
NAMES: Mapping[str, tuple[str, ...]] = {
    ReferenceCategory.OPERATING_STATUS: ("Operating Status",),
    ReferenceCategory.SCORE_CLASS: ("classScore", "Score Class", "Failure Score Class"),
    ReferenceCategory.US_SIC: ("US Standard Industry Code 1987 - 4 digit", "US SIC V4"),
    ReferenceCategory.NAICS_2022: ("North American Industry Classification System 2022", "NAICS 2022"),
    ReferenceCategory.NAICS_2017: ("North American Industry Classification System 2017", "NAICS 2017"),
    ReferenceCategory.NACE_2: ("NACE Revision 2", "EU NACE Revision 2"),
    ReferenceCategory.DNB_SIC: ("D&B Standard Industry Code", "D&B SIC"),
}
List = tuple[str, str]
UNMADE = Q(called_at=None) | Q(called_at__lt=F("requested_at"))


def lists_to_fetch() -> list[List]:
    """Category and language of each, D&B's own list of categories first, English before other languages."""
    languages = sorted({code[:2] for code, _ in settings.LANGUAGES}, key=lambda code: (code != ENGLISH, code))
    return [("", ""), *((str(category), language) for category in ReferenceCategory for language in languages)]


def planned_fetch() -> dict[CallKind, int]:
    return {CallKind.REFERENCE_DATA: len(lists_to_fetch())}


def request_reference_data(
    contract: Contract, *, confirmed: Mapping[CallKind, int], requested_by: str, seen: datetime | None = None
) -> int:
    """Have a worker fetch all lists; returns how many are requested. Raises CallsChanged or BudgetUsedUp, and then
    nothing is requested; nor is anything while a request is in work, or if there was one after the one `seen`."""
    planned = planned_fetch()
    confirm_calls(planned, confirmed)
    before = last_request()
    if ReferenceList.objects.filter(UNMADE).exists() or (seen and before and before > seen):
        return 0
    require_calls(contract, planned)
    _request(contract, requested_by, before)
    record(
        actor=requested_by,
        action="reference_data.fetch",
        thing=contract,
        summary=gettext("Reference data requested from D&B: %(count)s calls") % {"count": sum(planned.values())},
    )
    ask_worker(FETCH, task_name="Fetch reference data")
    return sum(planned.values())


def last_request() -> datetime | None:
    return ReferenceList.objects.order_by("-requested_at").values_list("requested_at", flat=True).first()


def _request(contract: Contract, requested_by: str, before: datetime | None) -> None:
    """Of two who do this at one moment, the second finds no row that was requested `before`."""
    by, now = clean_text(requested_by, 200), timezone.now()
    rows = [
        ReferenceList(
            id=ReferenceList.key(category, language),
            category=category,
            language=language,
            contract=contract,
            requested_by=by,
            requested_at=now,
        )
        for category, language in lists_to_fetch()
    ]
    insert_new(ReferenceList, rows)
    if before:
        known = ReferenceList.objects.filter(pk__in=[row.pk for row in rows], requested_at__lte=before)
        known.update(contract=contract, requested_by=by, requested_at=now, error="")


def fetch_due() -> int:
    """Make the calls that were requested, for a while; returns how many lists were fetched."""
    _request_monthly()
    until, fetched = timezone.now() + WORKING_TIME, 0
    for row in _waiting():
        if timezone.now() >= until:
            ask_worker(FETCH, task_name="Fetch reference data")
            break
        try:
            fetched += _fetch(row)
        except (DirectPlusError, NotConfigured, BudgetUsedUp) as error:
            _stop(error)
            break
    forget_words()
    return fetched


def _request_monthly() -> None:
    """Only what users had fetched before, and D&B offers. A budget of 0 calls ends it."""
    due = timezone.now() - REFRESH_AFTER
    old = ReferenceList.objects.filter(fetched_at__lt=due, requested_at__lt=due)
    old.update(requested_at=timezone.now(), requested_by=MONTHLY)


def _waiting() -> list[ReferenceList]:
    places = {pair: place for place, pair in enumerate(lists_to_fetch())}
    rows = ReferenceList.objects.filter(UNMADE).select_related("contract")
    return sorted(rows, key=lambda row: places.get((row.category, row.language), len(places)))


def _stop(error: Exception) -> None:
    """What fails now fails for all, and every attempt may cost: only a user tries again."""
    logger.warning("reference data could not be fetched: %s", error)
    ReferenceList.objects.filter(UNMADE).update(called_at=timezone.now(), error=str(error))


def stop_all_lists(reason: str) -> None:
    """After a backup was put back: what was requested, or was due this month, may have been fetched since."""
    now = timezone.now()
    ReferenceList.objects.filter(UNMADE).update(error=reason)
    ReferenceList.objects.update(requested_at=now, called_at=now)


def _fetch(row: ReferenceList) -> bool:
    """False where another process makes the call, or D&B has no such list."""
    client = client_for(row.contract)
    claimed = ReferenceList.objects.filter(UNMADE, pk=row.pk)
    if not claimed.update(called_at=timezone.now()):
        return False
    about = " ".join(filter(None, [row.category or "categories", row.language]))
    kind = CallKind.REFERENCE_DATA
    try:
        with counted_call(row.contract, kind, about=about, requested_by=row.requested_by):
            values = _list_of_categories(client) if not row.category else _codes(client, row)
    except (NotFound, BadRequest) as error:
        values = {"error": gettext("D&B does not offer this list (code %(code)s).") % {"code": error.code}}
    except (DirectPlusError, BudgetUsedUp) as error:
        ReferenceList.objects.filter(pk=row.pk).update(error=str(error))
        raise
    ReferenceList.objects.filter(pk=row.pk).update(**values)
    return "fetched_at" in values


def _list_of_categories(client: DirectPlus) -> dict[str, object]:
    found = [[category.id, category.name] for category in client.reference_categories()]
    return {"answer": json.dumps(found), "count": len(found), "fetched_at": timezone.now(), "error": ""}


def _codes(client: DirectPlus, row: ReferenceList) -> dict[str, object]:
    words = client.reference_codes(_id_of(row.category), language=_dnb_language(row.language))
    if not words or _is_english(row, words):
        return {"error": gettext("D&B sent no descriptions in this language.")}
    _keep(row, words)
    return {"count": len(words), "fetched_at": timezone.now(), "error": ""}


def _dnb_language(code: str) -> str:
    return DNB_LANGUAGES.get(code, f"{code}-{code.upper()}")


def _id_of(category: str) -> str:
    """What D&B calls it, by its list of categories; else by our name."""
    offered = ReferenceList.objects.filter(pk=ReferenceList.key("", "")).values_list("answer", flat=True).first()
    known = {_plain(name) for name in (category, *NAMES.get(category, ()))}
    found = (key for key, name in json.loads(offered or "[]") if {_plain(key), _plain(name)} & known)
    return next(found, category)


def _plain(text: str) -> str:
    return "".join(letter for letter in text.casefold() if letter.isalnum())


def _is_english(row: ReferenceList, words: Mapping[str, str]) -> bool:
    """Whether D&B sent its English words for want of others."""
    if row.language == ENGLISH:
        return False
    english = ReferenceCode.objects.filter(category=row.category, language=ENGLISH)
    return dict(english.values_list("code", "words")) == dict(words)


def _keep(row: ReferenceList, words: Mapping[str, str]) -> None:
    """Codes that D&B no longer lists stay: history has them."""
    rows = [_row(row, code, text) for code, text in words.items()]
    known = dict(ReferenceCode.objects.filter(category=row.category, language=row.language).values_list("pk", "words"))
    insert_new(ReferenceCode, [one for one in rows if one.pk not in known])
    for one in rows:
        if known.get(one.pk, one.words) != one.words:
            ReferenceCode.objects.filter(pk=one.pk).update(words=one.words)


def _row(row: ReferenceList, code: str, words: str) -> ReferenceCode:
    code = clean_text(code, 64)
    key = ReferenceCode.key(row.category, code, row.language)
    return ReferenceCode(id=key, category=row.category, code=code, language=row.language, words=clean_text(words, 500))
