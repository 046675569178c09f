"""Probes of D&B."""

from typing import Any

from health.models import Probe
from tests.builders.times import ago


def a_probe(**fields: Any) -> Probe:
    defaults = {"called_at": ago(minutes=1), "answered_at": ago(minutes=1), "seconds": 0.2, **fields}
    return Probe.objects.update_or_create(contract="default", defaults=defaults)[0]
