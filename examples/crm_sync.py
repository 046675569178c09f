"""Keeps a copy of the companies up to date, as a CRM would: all of them once, then what changes. Run it each minute.

Whatever the verb of an entry is, it reads the company again: what was withdrawn is then gone from the copy as well.
"""

import json
import os
from pathlib import Path
from typing import Any

import requests

PLACE, PART = Path(os.environ.get("PLACE", "crm.json")), Path(os.environ.get("PLACE", "crm.json") + ".part")
api = requests.Session()
api.headers["Authorization"] = "Bearer " + os.environ["DNBMON_KEY"]


def ask(path: str, **parameters: Any) -> Any:
    answer = api.get(f"{os.environ['DNBMON_URL']}/api/v1/{path}", params=parameters, timeout=60)
    if answer.status_code == 410:  # the feed cannot go on from here: begin again with a snapshot
        PLACE.unlink(missing_ok=True)
    answer.raise_for_status()
    return answer.json()


def snapshot() -> dict[str, Any]:
    page = ask("companies/", limit=1000)
    copy = {"companies": {one["duns"]: one for one in page["results"]}, "cursor": page["changes_cursor"]}
    while page["next"]:
        page = ask("companies/", limit=1000, after=page["next"])
        copy["companies"].update({one["duns"]: one for one in page["results"]})
    return copy


crm, more = json.loads(PLACE.read_text()) if PLACE.exists() else snapshot(), True
while more:
    page = ask("changes/", after=crm["cursor"], limit=500)
    for duns in sorted({change["company"]["duns"] for change in page["results"]}):
        crm["companies"][duns] = ask(f"companies/{duns}/")
    crm["cursor"], more = page["next"], page["more"]
    PART.write_text(json.dumps(crm))  # what was learnt and how far, together
    PART.replace(PLACE)
