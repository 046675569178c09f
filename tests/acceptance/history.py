"""What is known of every company, as one text each: two databases that hold the same history give the same."""

from monitoring.content_ids import canonical
from monitoring.history.checkpoints import profile
from portfolio.models import Company


def profiles() -> dict[str, str]:
    return {duns: told(duns) for duns in Company.objects.order_by("pk").values_list("pk", flat=True)}


def told(duns: str) -> str:
    found = profile(duns)
    status = found.status.kind if found.status else ""
    return f"{canonical(found.document)} {status}"
