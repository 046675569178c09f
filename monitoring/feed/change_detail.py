"""One change with all who reported it, for the API."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

from core.visibility import Scope
from monitoring.feed.serializers import ObservationSerializer, references_of, serialized_changes
from monitoring.history.sources import Reported, reports_of
from monitoring.models import Change


def serialized_detail(change: Change, number: int | None, scope: Scope) -> Any:
    """One change with all who reported it, as far as the scope shows them."""
    every, own = reports_of([change])[change.pk], scope.registrations
    reports = every if scope.sees_all else [one for one in every if one.registration in own]
    references = references_of(report.registration for report in reports)
    [item] = serialized_changes([change], {change.pk: number} if number else {}, scope=scope)
    observations = [_observation_item(report, references) for report in reports]
    return {**item, "observations": ObservationSerializer(observations, many=True).data}


def _observation_item(report: Reported, references: Mapping[uuid.UUID, str]) -> dict[str, Any]:
    return {
        "registration": references.get(report.registration, ""),
        "source": "file" if report.is_file else "answers",
        "how": report.how,
        "observed_at": report.observed_at,
        "notification": report.notification,
    }
