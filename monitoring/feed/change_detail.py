"""One change with all who reported it, for the API."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

from monitoring.feed.serializers import ObservationSerializer, references_of, serialized_changes
from monitoring.history.sources import Reported, reports_of
from monitoring.models import Change


def serialized_detail(change: Change, number: int | None) -> Any:
    """One change with all who reported it."""
    reports = reports_of([change])[change.pk]
    references = references_of(report.registration for report in reports)
    [item] = serialized_changes([change], {change.pk: number} if number else {})
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
