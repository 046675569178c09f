"""What to do next while there is nothing yet, step by step."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from django.utils.translation import gettext

from portfolio.dnb_client import NotConfigured, credentials
from portfolio.models import Contract, Registration, RegistrationState


@dataclass(frozen=True, slots=True)
class Step:
    """One step of getting started."""

    title: str
    text: str
    done: bool
    action: str = ""


def steps(registrations: Sequence[Registration]) -> Iterator[Step]:
    has_keys = _has_credentials()
    text = gettext(
        "Put D&B's key and secret into the settings: DNB_API_KEY and DNB_API_SECRET (or …_FILE for mounted secrets)."
    )
    yield Step(gettext("Give it your credentials"), text, has_keys)
    text = gettext("D&B creates registrations on request. This asks D&B which are yours; it changes nothing there.")
    yield Step(gettext("Look for your registrations"), text, bool(registrations), "look" if has_keys else "")
    text = gettext(
        "From then on notifications come off D&B's queue and into this program, so let only one program pull."
    )
    running = any(row.state == RegistrationState.ACTIVE for row in registrations)
    yield Step(gettext("Start one"), text, running, "registrations" if registrations else "")
    text = gettext("Changes appear here by themselves, without a click.")
    yield Step(gettext("See what changed"), text, False)


def _has_credentials() -> bool:
    contract = Contract.objects.order_by("name").first() or Contract(name="default")
    try:
        credentials(contract)
    except NotConfigured:
        return False
    return True
