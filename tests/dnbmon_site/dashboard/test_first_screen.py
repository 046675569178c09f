"""The demo's first screens, line by line, against the ledger of what its D&B gave out.

What a line has to say is written here from D&B's contract, and calls nothing of the program: each shown line was given
out, by the registration that it names, and nothing that happened later than the last line is missing.
"""

import json
import re
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from html import unescape
from typing import Any, NamedTuple

import pytest
from django.test import Client

from direct_plus.sandbox.control.client import SandboxControl
from direct_plus.sandbox.demo import world as demo_world
from direct_plus.sandbox.run import Sandbox
from monitoring.models import Change
from tests.builders.commands import run_command

pytestmark = pytest.mark.django_db
STEPS, LINES = 60, 50
CHANGES = "/monitoring/change/"
COLUMNS = "columns=duns,name,changed_at,told,registration"


class Line(NamedTuple):
    """As a reader sees it; the time to the millisecond."""

    at: datetime
    duns: str
    name: str
    words: str
    reported_by: str = ""


# What the ledger says

NOISE = ("scoreDate", "assessmentDate", "globalUltimateFamilyTreeMembersCount", "branchesCount")
NOTICES = {
    "SEED": "baseline received",
    "DELETE": "deleted at D&B, no further notifications",
    "UNDELETE": "restored at D&B",
    "UNDER_REVIEW": "under review at D&B, no notifications until it ends",
    "REVIEWED": "review at D&B completed",
    "REMOVED": "removed from monitoring",
}
STATES = ("DELETE", "UNDELETE", "UNDER_REVIEW", "REVIEWED")
ELEMENTS = {
    "corporateLinkage.domesticUltimate": "domestic ultimate",
    "corporateLinkage.globalUltimate": "global ultimate",
    "corporateLinkage.parent": "parent",
    "dnbAssessment.delinquencyScore.classScore": "delinquency score class",
    "dnbAssessment.delinquencyScore.classScoreDescription": "class score description (delinquency score)",
    "dnbAssessment.delinquencyScore.incidenceOfDefault": "incidence of default (delinquency score)",
    "dnbAssessment.delinquencyScore.nationalPercentile": "national percentile (delinquency score)",
    "dnbAssessment.failureScore.classScore": "failure score class",
    "dnbAssessment.failureScore.classScoreDescription": "class score description (failure score)",
    "dnbAssessment.failureScore.incidenceOfDefault": "incidence of default (failure score)",
    "dnbAssessment.failureScore.nationalPercentile": "national percentile (failure score)",
    "dnbAssessment.standardRating.rating": "rating (standard rating)",
    "dunsControlStatus.operatingStatus": "operating status",
    "financials": "financials",
    "industryCodes": "industry codes",
    "isDeterioratingBusiness": "deteriorating business",
    "legalEvents.hasBankruptcy": "bankruptcy (open or closed)",
    "legalEvents.hasInsolvency": "insolvency",
    "legalEvents.hasOpenBankruptcy": "open bankruptcy",
    "legalEvents.hasOpenInsolvency": "open insolvency",
    "mostSeniorPrincipal": "most senior principal",
    "numberOfEmployees": "number of employees",
    "primaryAddress.streetAddress": "street address (primary address)",
    "primaryName": "primary name",
    "registeredName": "registered name",
    "telephone": "telephone",
    "websiteAddress": "website address",
}
MEMBERS = {
    "code": "code",
    "domainName": "domain name",
    "financialStatementToDate": "financial statement to date",
    "fullName": "full name",
    "url": "web address",
    "yearlyRevenue": "yearly revenue",
}


def given_out(control: SandboxControl) -> list[dict[str, Any]]:
    """In the order in which D&B gave them out."""
    entries = [entry for entry in control.ledger() if entry["dequeued_at"]]
    return sorted(entries, key=lambda entry: (entry["dequeued_at"], entry["seq"]))


def expected(control: SandboxControl) -> list[Line]:
    """Each fact once, in the name of the list that reported it first; noise is hidden."""
    lines: dict[Any, Line] = {}
    entries = given_out(control)
    items = [json.loads(entry["raw"], parse_float=Decimal) for entry in entries]
    known = {item["organization"]["duns"] for item in items if item["type"] == "SEED"}
    names = {duns: control.company(duns)["primaryName"] for duns in known}
    for entry, item in zip(entries, items, strict=True):
        duns = item["organization"]["duns"]
        for key, stamp, words in facts(item, entry):
            line = Line(moment(stamp), duns, names.get(duns, "–"), words, entry["reference"])
            lines.setdefault((duns, *key), line)
    return list(lines.values())


def facts(item: dict[str, Any], entry: dict[str, Any]) -> Iterator[tuple[tuple[Any, ...], str, str]]:
    """What makes each one the same wherever it is reported, when it happened, and in words."""
    delivered = entry["deliveryTimeStamp"]
    if item["type"] == "TRANSFER":
        [transfer] = item["organization"]["dunsControlStatus"]["dunsTransfers"]
        yield ("TRANSFER", transfer["retainedDUNS"]), delivered, f"merged into {transfer['retainedDUNS']}"
    elif item["type"] != "UPDATE":
        # What two lists report of one company's state is one; a document, or leaving a list, is of that list alone.
        own = () if item["type"] in STATES else (entry["seq"],)
        yield (item["type"], *own), delivered, NOTICES[item["type"]]
    for element in item.get("elements", []):
        path = element["element"].removeprefix("organization.")
        if not path.endswith(NOISE):
            values = element.get("previous"), element.get("current")
            yield (
                (path, json.dumps(values, default=str), element["timestamp"]),
                element["timestamp"],
                say(path, *values),
            )


def say(path: str, previous: Any, current: Any) -> str:
    label = ELEMENTS.get(path, f"(no words for {path})")
    before, after = only(previous), only(current)
    if isinstance(before, dict) and isinstance(after, dict) and not (plain(before) and plain(after)):
        parts = [part(name, before.get(name), after[name]) for name in after if before.get(name) != after[name]]
        is_bare = len(parts) == 1 and ":" not in parts[0]
        return f"{label}{' ' if is_bare else ': '}{'; '.join(parts)}"
    unit = " %" if "incidenceOf" in path else ""
    return f"{label} {plain(before)}{unit} → {plain(after)}{unit}"


def part(name: str, before: Any, after: Any) -> str:
    words = f"{plain(only(before))} → {plain(only(after))}"
    return f"{MEMBERS[name]}: {words}" if name in MEMBERS else words


def only(value: Any) -> Any:
    """Of an array with one item, the item."""
    return value[0] if isinstance(value, list) and len(value) == 1 else value


def plain(value: Any) -> str:
    """In a few words; nothing for an object of several parts."""
    if isinstance(value, dict):
        return of_object(value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int | Decimal):
        return f"{value:,f}" if isinstance(value, Decimal) else f"{value:,}"
    if isinstance(value, str) and re.fullmatch(r"\d{4}-\d\d-\d\d", value):
        day = date.fromisoformat(value)
        return f"{day.day} {day:%b %Y}"
    return value or "nothing"


def of_object(value: dict[str, Any]) -> str:
    match value:
        case {"value": amount, "currency": currency}:
            return f"{plain(amount)} {currency}"
        case {"telephoneNumber": number, "isdCode": code}:
            return f"+{code} {number}"
        case {"duns": duns, "primaryName": name}:
            return f"{name} ({duns})"
        case {"description": words, "dnbCode": _}:
            return str(words)
    return ""


def moment(stamp: str) -> datetime:
    return datetime.fromisoformat(stamp).astimezone(UTC)


# What the pages show


def text(html: str) -> str:
    """Without what this program adds to D&B's values."""
    whole = re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]*>", "", html))).strip()
    return re.sub(r" \((worse|better)\)$", "", whole)


def time_in(html: str) -> datetime:
    found = re.search(r'datetime="([^"]+)"', html)
    assert found
    return moment(found[1])


def listed(page: str) -> list[Line]:
    """The list of changes."""
    rows = re.findall(r"<tr class=.*?</tr>", page[page.index("<tbody") :], re.DOTALL)
    found = (re.findall(r"<t[hd].*?</t[hd]>", row, re.DOTALL) for row in rows)
    return [Line(time_in(at), text(duns), text(name), text(words), text(by)) for duns, name, at, words, by in found]


def on_the_overview(page: str) -> Iterator[Line]:
    """“Latest critical and high changes”: without who reported them."""
    for html in re.findall(r'<div class="df-line".*?</div>', page, re.DOTALL):
        after_name = r'<span class="dm-place">(?:, (\d+)| \(name not yet known\))'
        found = re.search(rf'"dm-company".*?>(.*?)</a>{after_name}.*?"df-told".*?>(.*?)</a>', html, re.DOTALL)
        assert found
        name, duns, words = (text(group or "") for group in found.groups())
        yield Line(time_in(html), duns or name, name, words[:1].lower() + words[1:])


def assert_told(shown: list[Line], given: list[Line]) -> None:
    """Each line was given out, and all that happened after the last one is there, the latest first."""
    assert list(Counter(shown) - Counter(given)) == [], "never given out"
    later = [line for line in given if line.at > shown[-1].at]
    assert list(Counter(later) - Counter(shown)) == [], "missing"
    assert [line.at for line in shown] == sorted((line.at for line in shown), reverse=True)


def test_each_line_of_the_first_screens_is_what_d_and_b_gave_out(sandbox: Sandbox, admin: Client) -> None:
    demo_world.fill(sandbox.world)
    for _ in range(STEPS):
        demo_world.step(sandbox.world)
    run_command("sync_registrations", start=True, every=1)
    run_command("pull")

    def first_page(filters: str) -> list[Line]:
        return listed(admin.get(f"{CHANGES}?{COLUMNS}{filters}").content.decode())

    given = expected(sandbox.control)
    elements = [line for line in given if "→" in line.words]
    for filters, lines in (("", given), ("&kind=element&severity=from-low", elements)):
        shown = first_page(filters)
        assert len(shown) == LINES
        assert_told(shown, lines)
    latest = list(on_the_overview(admin.get("/").content.decode()))
    assert len({line.duns for line in latest}) == len(latest) > 5
    nameless = [line._replace(name=line.duns) if line.name == "–" else line for line in given]
    assert sorted(set(latest) - {line._replace(reported_by="") for line in nameless}) == []
    # That one altered value would be noticed.
    altered = shown[-1]
    Change.objects.filter(company=altered.duns, changed_at=altered.at).update(current='"altered"')
    with pytest.raises(AssertionError, match="never given out"):
        assert_told(first_page("&kind=element&severity=from-low"), elements)
