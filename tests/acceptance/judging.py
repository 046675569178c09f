"""Whether what is stored equals what D&B gave out, and whether what always holds, holds."""

from collections import Counter
from typing import Any

from direct_plus.sandbox.control.client import SandboxControl
from monitoring.models import Change, DeadLetter, Delivery, DeliveryState, Notification, Publication, ReplayPass
from portfolio.models import Company, Registration
from tests.ledger import Content, assert_equals_ledger, content_of, emitted, readable, stored

OVER = (DeliveryState.PUBLISHED, DeliveryState.REFUSED, DeliveryState.RECOVERED)
READ = (DeliveryState.PUBLISHED,)


def verdict(control: SandboxControl, reference: str) -> dict[str, Any]:
    """The numbers, for people; raises AssertionError where something is lost, doubled or stuck."""
    kept = _assert_contents(control, reference)
    _assert_publications()
    _assert_nothing_is_stuck(reference)
    _assert_every_notification_makes_a_change(reference)
    registration = Registration.objects.get(reference=reference)
    deliveries = Delivery.objects.filter(registration=registration)
    return {
        "notifications": kept,
        "publications": Publication.objects.count(),
        "recovered": deliveries.filter(state=DeliveryState.RECOVERED).count(),
        "replay_passes": ReplayPass.objects.filter(registration=registration).count(),
        "unreadable": DeadLetter.objects.filter(registration=registration).count(),
        "gap": registration.gap_reason,
        "mark": registration.replay_mark,
    }


def _assert_contents(control: SandboxControl, reference: str) -> int:
    """As `assert_equals_ledger`; but identical notices without elements that stood together in one answer count each
    (a DELETE told twice may be two), so where the sandbox repeats items they may be there as often."""
    repeated = told_together(control, reference)
    if not repeated:
        return assert_equals_ledger(control, reference)
    given, kept = emitted(control, reference), stored(reference)
    missing, extra = given - kept, kept - (given | repeated)
    assert not missing, f"{missing.total()} of {given.total()} are missing, first: {next(iter(missing))}"
    assert not extra, f"{extra.total()} are there twice or were never given out, first: {next(iter(extra))}"
    return kept.total()


def told_together(control: SandboxControl, reference: str) -> Counter[Content]:
    """The most identical notices that stood in one answer, where there were several."""
    contents = {entry["seq"]: _notice(entry) for entry in control.ledger(reference)}
    most: Counter[Content] = Counter()
    for call in control.calls():
        if call["reference"] == reference and len(call["items"]) > len(set(call["items"])):
            together = Counter(found for seq in call["items"] if (found := contents.get(seq)))
            most |= Counter({content: count for content, count in together.items() if count > 1})
    return most


def _notice(entry: dict[str, Any]) -> Content | None:
    item = readable(entry["raw"])
    if item is None or item["type"] in ("UPDATE", "SEED"):
        return None
    return content_of(item, entry["deliveryTimeStamp"])


def _assert_publications() -> None:
    rows = list(Publication.objects.order_by("sequence").values_list("sequence", "delivery_id"))
    numbers = [sequence for sequence, _ in rows]
    assert numbers == list(range(1, len(rows) + 1)), f"the numbers of publications have a hole or repeat: {numbers}"
    published = set(Delivery.objects.filter(state__in=READ).values_list("pk", flat=True))
    with_number = [delivery for _, delivery in rows]
    assert len(with_number) == len(set(with_number)), "a delivery was published twice"
    assert published <= set(with_number), "a published delivery has no number"


def _assert_nothing_is_stuck(reference: str) -> None:
    deliveries = Delivery.objects.filter(registration__reference=reference)
    stuck = Counter(deliveries.exclude(state__in=OVER).values_list("state", flat=True))
    assert not stuck, f"deliveries are stuck: {dict(stuck)}"


def _assert_every_notification_makes_a_change(reference: str) -> None:
    rows = Notification.objects.filter(registration__reference=reference)
    told = set(Change.objects.filter(registration__reference=reference).values_list("notification_id", flat=True))
    silent = [row for row in rows.values_list("pk", "type") if row[0] not in told]
    assert not silent, f"{len(silent)} notifications made no change, first: {silent[0]}"
    named = set(rows.values_list("company_id", flat=True))
    known = set(Company.objects.filter(pk__in=named).values_list("pk", flat=True))
    assert named == known, "a notification's company is missing"
