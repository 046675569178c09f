"""Compares what is stored with the sandbox's ledger: by content, never by our ids."""

from collections import Counter, defaultdict
from typing import Any

from direct_plus.exact_json import parse_json
from direct_plus.sandbox.control.client import SandboxControl
from monitoring.content_ids import canonical, canonical_stamp
from monitoring.models import Change, Kind, Notification

Content = tuple[Any, ...]


def emitted(control: SandboxControl, reference: str) -> Counter[Content]:
    """The readable notifications that D&B has given out, with how many times each happened."""
    contents: Counter[Content] = Counter()
    for entry in control.ledger(reference):
        item = readable(entry["raw"])
        if entry["dequeued_at"] and item is not None:
            contents[content_of(item, entry["deliveryTimeStamp"])] += 1
    # The same change of the same element at the same time is one fact, however often D&B tells it; and so is the same
    # document of the same delivery.
    return Counter({key: 1 if key[0] in ("UPDATE", "SEED") else count for key, count in contents.items()})


def readable(raw: str) -> Any:
    try:
        item = parse_json(raw.encode("utf-8", "surrogateescape"))
    except ValueError:
        return None
    return item if isinstance(item, dict) and isinstance(item.get("organization"), dict) else None


def content_of(item: dict[str, Any], stamp: str | None) -> Content:
    duns, kind = item["organization"]["duns"], item["type"]
    if kind == "UPDATE":
        return kind, duns, frozenset(fact_of(element) for element in item["elements"])
    document = canonical(item["organization"]) if kind == "SEED" else ""
    return kind, duns, document, canonical_stamp(stamp)


def fact_of(element: dict[str, Any]) -> Content:
    values = (canonical(element.get("previous")), canonical(element.get("current")))
    return element["element"], *values, canonical_stamp(element.get("timestamp"))


def stored(reference: str) -> Counter[Content]:
    """The notifications in our rows, rebuilt from what stands in their changes."""
    facts: dict[Any, set[Content]] = defaultdict(set)
    notifications = Notification.objects.filter(registration__reference=reference)
    for change in Change.objects.filter(kind=Kind.ELEMENT, derived_from=""):
        facts[change.notification_id].add(stored_fact(change))
    return Counter(content_of_row(row, frozenset(facts[row.pk])) for row in notifications)


def stored_fact(change: Change) -> Content:
    values = (canonical_of(change.previous), canonical_of(change.current))
    return change.element, *values, canonical_stamp(change.changed_at.isoformat())


def canonical_of(text: str | None) -> str:
    return canonical(None if text is None else parse_json(text))


def content_of_row(row: Notification, facts: frozenset[Content]) -> Content:
    if row.type == "UPDATE":
        return row.type, row.company_id, facts
    stamp = row.delivered_at.isoformat() if row.delivered_at else None
    document = canonical_of(row.organization) if row.organization else ""
    return row.type, row.company_id, document, canonical_stamp(stamp)


def assert_equals_ledger(control: SandboxControl, reference: str) -> int:
    """None missing, none twice; returns how many there are."""
    given, kept = emitted(control, reference), stored(reference)
    missing, extra = given - kept, kept - given
    assert not missing, f"{missing.total()} of {given.total()} are missing, first: {next(iter(missing))}"
    assert not extra, f"{extra.total()} are there twice or were never given out, first: {next(iter(extra))}"
    return kept.total()
