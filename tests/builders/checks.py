"""One check of the health page."""

from health.checks import all_checks
from health.models import State
from health.results import Result


def look_at(matter: str) -> Result:
    (found,) = [result for result in all_checks() if result.matter == matter]
    return found


def state_of(matter: str) -> State:
    return look_at(matter).state
