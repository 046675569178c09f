"""The front page: what needs a person, what happened last, how fresh everything is. From roll-ups and keys only."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, timedelta
from typing import Any

from django.db.models import Sum
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone

from monitoring.admin.acting import doubts_of, no_worker
from monitoring.admin.changes import newest_publication
from monitoring.admin.registrations import marks_of
from monitoring.models import Alert, AlertState, Change, DailyCount, DeadLetter, DeadLetterState, Severity
from monitoring.timeline import Line, lines_of
from monitoring.wording import lower_first
from portfolio.connecting import NotConfigured, credentials
from portfolio.models import (
    Contract,
    ImportState,
    Proposal,
    ProposalState,
    Registration,
    RegistrationState,
    Subject,
    SubjectImport,
    SubjectState,
)
from portfolio.searching import with_companies
from portfolio.wording import cadence_words, countdown, description, loss_sentence, plural, standing

DAYS = 30
LAST = 12
HEIGHT = 120
STEP = 22
BAR = 16
COUNTED = 1000


@dataclass(frozen=True, slots=True)
class Need:
    """Something a person should look at."""

    tone: str
    title: str
    text: str
    link: str


@dataclass(frozen=True, slots=True)
class Step:
    """One step of getting started."""

    title: str
    text: str
    done: bool
    action: str = ""


@dataclass(slots=True)
class Bar:
    """A day of the chart: pieces from the bottom up, each with its place."""

    day: date
    x: int
    total: int
    pieces: list[dict[str, Any]] = field(default_factory=list)


def front_page(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """What unfold's index page shows; `?part=live` asks for its living part alone."""
    registrations = list(Registration.objects.order_by("reference"))
    doubts = doubts_of()
    counts = counts_by_day()
    last = last_heavy() if request.user.has_perm("monitoring.view_change") else []
    is_new = not counts and not last and not any(row.last_pulled_at for row in registrations)
    return {
        **context,
        "title": "What changed",
        "base_template": "pages/bare.html" if request.GET.get("part") == "live" else "admin/base.html",
        "published": newest_publication(),
        "steps": list(steps(registrations)) if is_new else [],
        "needs": sorted([*needs(registrations, doubts), *decisions(request, registrations)], key=heaviest_first),
        "last": last,
        "bars": bars(counts),
        "tiles": tiles(counts, registrations),
        "fresh": [fresh(row, doubts) for row in registrations],
        "may_pull": request.user.has_perm("portfolio.pull_registration"),
        "chart_width": DAYS * STEP,
        "chart_height": HEIGHT,
    }


def last_heavy() -> list[Line]:
    """The last critical and high changes; two ranges of an index, merged."""
    rows: list[Change] = []
    for severity in (Severity.CRITICAL, Severity.HIGH):
        rows += Change.objects.filter(severity=severity, superseded=False).order_by("-id")[:LAST]
    rows = sorted(rows, key=lambda row: row.pk.int, reverse=True)[:LAST]
    with_companies(rows)
    return lines_of(rows)


# What needs a person


def needs(registrations: list[Registration], doubts: dict[object, int]) -> Iterator[Need]:
    if registrations and no_worker():
        yield Need("bad", "No worker runs", "Nothing is pulled. Start one: manage.py worker.", "")
    for row in registrations:
        yield from _needs_of(row, doubts.get(row.pk, 0))
    yield from _unreadable()
    yield from _critical_alerts()


def _needs_of(row: Registration, doubts: int) -> Iterator[Need]:
    link = reverse("admin:portfolio_registration_change", args=[row.pk])
    found = standing(row)
    if found.tone in ("bad", "warn"):
        yield Need(found.tone, f"{row.reference}: {lower_first(found.word)}", found.sentence, link)
    for word, tone, why in marks_of(row):
        if why != found.sentence:
            yield Need(tone, f"{row.reference}: {lower_first(word)}", why, link)
    if left := countdown(row):
        yield Need("bad" if left == "now" else "warn", f"{row.reference}: loss {left}", loss_sentence(row), link)
    if doubts:
        text = "Something may have been taken and not received. Replay repairs it by itself."
        yield Need("calm", f"{row.reference}: {plural(doubts, 'call')} in doubt", text, _doubtful_link())


def _doubtful_link() -> str:
    return reverse("admin:monitoring_delivery_changelist") + "?state=doubtful"


def _unreadable() -> Iterator[Need]:
    count = DeadLetter.objects.filter(state=DeadLetterState.OPEN)[:1000].count()
    if count:
        link = reverse("admin:monitoring_deadletter_changelist") + "?state=open"
        text = "Look at them, then try again or set them aside."
        yield Need("warn", f"{plural(count, 'item')} could not be read", text, link)


def heaviest_first(need: Need) -> int:
    return ("bad", "warn", "calm").index(need.tone)


def _critical_alerts() -> Iterator[Need]:
    count = Alert.objects.filter(severity=Severity.CRITICAL, state=AlertState.NEW)[:COUNTED].count()
    if count:
        link = (
            reverse("admin:monitoring_alert_changelist")
            + f"?state={AlertState.NEW.value}&severity={Severity.CRITICAL.value}"
        )
        yield Need("bad", plural(count, "critical alert"), "Nobody has acknowledged them yet.", link)


# State, who may decide it, what waits, in words
PROPOSALS = (
    (
        ProposalState.OPEN,
        "portfolio.decide_proposal",
        "to decide",
        "D&B has merged, deleted or refused companies that you want watched. Accept or dismiss what is proposed.",
    ),
    (
        ProposalState.AWAITING_APPROVAL,
        "portfolio.approve_import",
        "to approve as a second person",
        "They add more companies than one person may confirm at once.",
    ),
)
IMPORTS = (
    (ImportState.READ, "portfolio.confirm_import", "to confirm", "Nothing is sent before."),
    (
        ImportState.AWAITING_APPROVAL,
        "portfolio.approve_import",
        "to approve as a second person",
        "Nothing is sent before.",
    ),
)


def decisions(request: HttpRequest, registrations: list[Registration]) -> Iterator[Need]:
    """What waits for a decision, for those with the right to it."""
    yield from _waiting(request, Proposal, PROPOSALS)
    yield from _waiting(request, SubjectImport, IMPORTS)
    if request.user.has_perm("portfolio.change_subject"):
        yield from _refused(registrations)


def _waiting(request: HttpRequest, model: Any, kinds: tuple[tuple[str, str, str, str], ...]) -> Iterator[Need]:
    mine = [kind for kind in kinds if request.user.has_perm(kind[1])]
    if not mine:
        return
    rows = model.objects.filter(state__in=[state for state, *_ in mine])
    counts = Counter(rows.values_list("state", flat=True)[:COUNTED])
    link = reverse(f"admin:portfolio_{model._meta.model_name}_changelist")
    for state, _, words, text in mine:
        if count := counts[state]:
            title = f"{plural(count, str(model._meta.verbose_name))} {words}"
            yield Need("warn", title, text, f"{link}?state={state}")


def _refused(registrations: list[Registration]) -> Iterator[Need]:
    keys = [row.pk for row in registrations]
    count = Subject.objects.filter(registration__in=keys, wanted=True, state=SubjectState.REFUSED)[:COUNTED].count()
    if count:
        companies = f"{count:,}{'+' if count == COUNTED else ''} {'company' if count == 1 else 'companies'}"
        link = reverse("admin:portfolio_subject_changelist") + "?state=refused&wanted=yes"
        yield Need("warn", f"{companies} refused by D&B", "They are wanted and not watched. See why, and decide.", link)


# Getting started


def steps(registrations: list[Registration]) -> Iterator[Step]:
    has_keys = _has_credentials()
    text = "Put D&B's key and secret into the settings: DNB_API_KEY and DNB_API_SECRET (or …_FILE for mounted secrets)."
    yield Step("Give it your credentials", text, has_keys)
    text = "D&B creates registrations on request. This asks D&B which ones are yours; it changes nothing there."
    yield Step("Look for your registrations", text, bool(registrations), "look" if has_keys else "")
    text = "From then on notifications come off D&B's queue and into this program, so let only one program pull."
    running = any(row.state == RegistrationState.ACTIVE for row in registrations)
    yield Step("Start one", text, running, "registrations" if registrations else "")
    yield Step("See what changed", "Changes appear here by themselves, without a click.", False)


def _has_credentials() -> bool:
    contract = Contract.objects.order_by("name").first() or Contract(name="default")
    try:
        credentials(contract)
    except NotConfigured:
        return False
    return True


# Roll-ups


def counts_by_day() -> dict[date, dict[int, int]]:
    """Changes of the last days by weight, from the daily counts."""
    first = today() - timedelta(days=DAYS - 1)
    rows = DailyCount.objects.filter(what="change", day__gte=first, day__lte=today())
    found: dict[date, dict[int, int]] = defaultdict(dict)
    for day, severity, count in rows.values_list("day", "severity").annotate(total=Sum("count")):
        found[day][severity] = count
    return dict(found)


def today() -> date:
    return timezone.now().astimezone(UTC).date()


def bars(counts: dict[date, dict[int, int]]) -> list[Bar]:
    """Stacked from the heaviest at the bottom; noise is left out, it would hide the rest."""
    first = today() - timedelta(days=DAYS - 1)
    weights = (Severity.CRITICAL, Severity.HIGH, Severity.MEDIUM, Severity.LOW)
    totals = [sum(day.get(weight, 0) for weight in weights) for day in counts.values()]
    highest = max(totals, default=0) or 1
    found = []
    for number in range(DAYS):
        day = first + timedelta(days=number)
        found.append(_bar(day, number * STEP, counts.get(day, {}), weights, highest))
    return found


def _bar(day: date, x: int, counts: dict[int, int], weights: tuple[Severity, ...], highest: int) -> Bar:
    bar = Bar(day, x, sum(counts.get(weight, 0) for weight in weights))
    top = float(HEIGHT)
    for weight in weights:
        count = counts.get(weight, 0)
        if count:
            height = max(count / highest * (HEIGHT - 6), 1.5)
            top -= height
            piece = {"y": f"{top:.1f}", "height": f"{height:.1f}", "tone": weight.name.lower()}
            bar.pieces.append({**piece, "words": plural(count, f"{weight.label.lower()} change")})
    return bar


def tiles(counts: dict[date, dict[int, int]], registrations: list[Registration]) -> list[tuple[str, str, str, str]]:
    """Number, words, tone, link."""
    week = [counts.get(today() - timedelta(days=back), {}) for back in range(7)]
    active = sum(row.state == RegistrationState.ACTIVE for row in registrations)
    changes = reverse("admin:monitoring_change_changelist")
    told = sum(count for severity, count in counts.get(today(), {}).items() if severity > Severity.NOISE)
    return [
        (f"{told:,}", "changes today", "calm", changes),
        _of_week(week, Severity.CRITICAL, changes),
        _of_week(week, Severity.HIGH, changes),
        (f"{active} of {len(registrations)}", "registrations active", "calm", _registrations()),
    ]


def _of_week(week: list[dict[int, int]], severity: Severity, link: str) -> tuple[str, str, str, str]:
    count = sum(day.get(severity, 0) for day in week)
    words = f"{severity.label.lower()} in 7 days"
    return f"{count:,}", words, severity.name.lower() if count else "calm", f"{link}?severity={severity.value}"


def _registrations() -> str:
    return reverse("admin:portfolio_registration_changelist")


def fresh(row: Registration, doubts: dict[object, int]) -> dict[str, Any]:
    found = standing(row)
    return {
        "row": row,
        "description": description(row),
        "standing": found,
        "cadence": cadence_words(row),
        "drops": countdown(row),
        "is_active": row.state == RegistrationState.ACTIVE,
        "doubts": doubts.get(row.pk, 0),
    }
