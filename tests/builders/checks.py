"""One check of the health page."""

from health.checks.registry import all_checks
from health.checks.result import Result
from health.models import State


def look_at(matter: str) -> Result:
    (found,) = [result for result in all_checks() if result.matter == matter]
    return found


def state_of(matter: str) -> State:
    return look_at(matter).state
