"""Changes that are in no database yet."""

import json
from typing import Any

from monitoring.models import Change, Kind
from tests.builders.companies import DUNS
from tests.builders.elements import STATUS


def a_change(element: str = STATUS, previous: Any = None, current: Any = None, **fields: Any) -> Change:
    texts = {"previous": json.dumps(previous), "current": json.dumps(current)}
    return Change(element=element, **{"kind": Kind.ELEMENT, "company_id": DUNS, **texts, **fields})
