"""What is new since a person's last visit, by a mark of their own.

A visit begins when the page is opened after signing in, or after half an hour without opening it. News then counts
from what the visit before had last opened; refreshing by itself moves nothing, so a screen that is left on keeps
everything new.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count, Max, Q, Sum
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST

from core.visibility import scope_of, visible_to
from dnbmon_site.accounts.models import User
from monitoring.models import Change, Publication, Severity
from monitoring.publications.consumers import Follower
from monitoring.publications.filters import deliveries_after
from monitoring.publications.places import Place, last_place
from monitoring.publications.sequence import newest_publication
from portfolio.models import Registration

A_PAUSE = timedelta(minutes=30)
# One visit opens the page often; its mark need not move each time.
NOTED_EVERY = timedelta(minutes=1)
SEVERITIES = ("critical", "high", "medium")


@dataclass(frozen=True, slots=True)
class News:
    """What was published since; `since` is None on the first visit."""

    since: datetime | None
    # The last publication that this person sees something of.
    last: Place
    critical: int = 0
    high: int = 0
    medium: int = 0
    # What the visit before had seen.
    after: Place = Place()

    @property
    def total(self) -> int:
        return self.critical + self.high + self.medium


def news_for(user: Any, registration: Registration | None, *, opened: bool) -> News:
    """News of this person; `opened` tells a page that was opened from one that refreshes itself."""
    found = _published_for(user, registration, opened=opened)
    return found if scope_of(user).sees_all or found.since is None else _seen_by(user, found)


def _seen_by(user: Any, news: News) -> News:
    """What the list of changes shows to someone who sees some of them."""
    after = last_place(user, up_to=news.after.sequence)
    rows = Change.objects.filter(superseded=False, delivery__in=deliveries_after(after.sequence))
    counts = dict(visible_to(user, rows).values_list("severity").order_by().annotate(count=Count("id")))
    critical, high, medium = (counts.get(Severity[name.upper()].value, 0) for name in SEVERITIES)
    return replace(news, critical=critical, high=high, medium=medium, after=after)


def _published_for(user: Any, registration: Registration | None, *, opened: bool) -> News:
    sequence, since = _start_of_news(user) if opened else (user.news_sequence, user.news_since)
    counted = Q(sequence__gt=sequence) & (Q(registration=registration.pk) if registration else Q())
    # The mark's own row is read too: so the newest number is known when nothing is new.
    found = Publication.objects.filter(sequence__gte=sequence).aggregate(
        newest=Max("sequence"), **{name: Sum(name, filter=counted) for name in SEVERITIES}
    )
    newest = found.pop("newest") or newest_publication()
    if opened:
        # The first visit with data has nothing to count from, and begins the count.
        _note(user, newest, *((sequence, since) if sequence else (newest, timezone.now())))
    last = Place(newest) if scope_of(user).sees_all else last_place(user)
    if since is None or not sequence:
        # Before the first visit there is no last one; what was fetched when nothing had been published is no news.
        return News(None, last)
    return News(since, last, **{name: count or 0 for name, count in found.items()}, after=Place(sequence))


def _start_of_news(user: Any) -> tuple[int, datetime | None]:
    """Where news begins for what is opened now: where it did, or in a new visit where the last one ended."""
    return (user.seen_sequence, user.seen_at) if _is_new_visit(user) else (user.news_sequence, user.news_since)


def _is_new_visit(user: Any) -> bool:
    if user.seen_at is None:
        return False
    has_signed_in = bool(user.last_login and user.last_login > user.seen_at)
    return has_signed_in or timezone.now() - user.seen_at >= A_PAUSE


def _note(user: Any, newest: int, sequence: int, since: datetime | None) -> None:
    """Compare-and-swap: of two pages opened at once, one moves the mark."""
    now = timezone.now()
    is_same = (sequence, since) == (user.news_sequence, user.news_since)
    if is_same and user.seen_at is not None and now - user.seen_at < NOTED_EVERY:
        return
    mark = {"seen_at": now, "seen_sequence": newest, "news_sequence": sequence, "news_since": since}
    User.objects.filter(pk=user.pk, seen_at=user.seen_at).update(**mark)


def set_visits_back(sequence: int) -> None:
    """No one has seen more than this: numbers after it are given again."""
    User.objects.filter(seen_sequence__gt=sequence).update(seen_sequence=sequence)
    User.objects.filter(news_sequence__gt=sequence).update(news_sequence=sequence)


VISITS = Follower(User, rewind=set_visits_back)


@require_POST
def seen(request: HttpRequest) -> HttpResponse:
    """ "Mark all as seen": nothing is new any more."""
    newest, now = newest_publication(), timezone.now()
    User.objects.filter(pk=str(request.user.pk)).update(
        seen_at=now, seen_sequence=newest, news_sequence=newest, news_since=now
    )
    back = request.POST.get("back", "")
    is_safe = url_has_allowed_host_and_scheme(back, allowed_hosts={request.get_host()})
    return HttpResponseRedirect(back if is_safe else "/")
