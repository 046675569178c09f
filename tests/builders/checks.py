"""One check of the health page."""

from health.checks.registry import all_checks
from health.checks.result import Result
from health.models import State


def look_at(dedup_key: str) -> Result:
    (found,) = [result for result in all_checks() if result.dedup_key == dedup_key]
    return found


def state_of(dedup_key: str) -> State:
    return look_at(dedup_key).state
