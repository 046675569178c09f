"""What was known when a decision was proposed, beside what is known now, for the second person."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext, ngettext

from core.text import counted
from core.visibility import is_restricted
from monitoring.decisions.known import amounts_in, as_known_to, figures_in, known_now
from monitoring.models import Decision, DecisionState

Labelled = dict[str, tuple[str, str]]
OPEN_ALERTS, ALERT = "open_alerts", "alert "


@dataclass(frozen=True, slots=True)
class Compared:
    """Empty where it was not known, or is not known any more."""

    name: str
    label: str
    then: str
    now: str

    @property
    def has_changed(self) -> bool:
        return self.then != self.now


def compared_with_today(row: Decision, *, with_exposure: bool, actor: Any) -> list[Compared]:
    """What has changed comes first. Nothing where the decision awaits no confirmation."""
    if row.state != DecisionState.PROPOSED:
        return []
    kept = [json.loads(row.known), json.loads(known_now(row.company, timezone.now()))]
    then, now = as_known_to(actor, kept)
    has_all = all(map(_has_all_alerts, kept))
    texts = [_labelled(found, with_exposure=with_exposure) for found in (then, now)]
    if not has_all and is_restricted(actor):
        # Which of the reader's are among the most severe depends on the alerts of others.
        texts = [{name: text for name, text in found.items() if name != OPEN_ALERTS} for found in texts]
    alerts = _alerts(then, now) if has_all else ()
    return sorted([*_values(*texts), *alerts], key=lambda one: not one.has_changed)


def changed_text(compared: Sequence[Compared]) -> str:
    """ "2 figures, 1 alert"; empty where all is as it was."""
    changed = [one for one in compared if one.has_changed and one.name != OPEN_ALERTS]
    alerts = sum(one.name.startswith(ALERT) for one in changed)
    figures = len(changed) - alerts
    parts = (
        (figures, ngettext("%(count)s figure", "%(count)s figures", figures)),
        (alerts, ngettext("%(count)s alert", "%(count)s alerts", alerts)),
    )
    return ", ".join(words % {"count": counted(count)} for count, words in parts if count)


def _has_all_alerts(found: Mapping[str, Any]) -> bool:
    """Only the most severe are kept."""
    return bool(found.get("alert_count", 0) <= len(found.get("alerts", ())))


def _labelled(found: Mapping[str, Any], *, with_exposure: bool) -> Labelled:
    amounts = amounts_in(found) if with_exposure else ()
    named = ((name, gettext("Exposure: %(part)s") % {"part": label}, text) for name, label, text in amounts)
    alerts = (OPEN_ALERTS, gettext("Open alerts"), counted(found.get("alert_count", 0)))
    return {name: (label, text) for name, label, text in (*figures_in(found), alerts, *named)}


def _values(then: Labelled, now: Labelled) -> Iterator[Compared]:
    for name in {**now, **then}:
        (label, before), (other, after) = then.get(name, ("", "")), now.get(name, ("", ""))
        yield Compared(name, other or label, before, after)


def _alerts(then: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[Compared]:
    """Those that were raised or closed since; of more than are kept, nothing can be stated."""
    before, after = _titles(then), _titles(now)
    for key in after.keys() - before.keys():
        yield Compared(f"{ALERT}{key}", gettext("Alert raised since then"), "", after[key])
    for key in before.keys() - after.keys():
        yield Compared(f"{ALERT}{key}", gettext("Alert closed since then"), before[key], "")


def _titles(found: Mapping[str, Any]) -> dict[str, str]:
    return {one["id"]: one["title"] for one in found.get("alerts", ())}
