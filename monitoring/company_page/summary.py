"""The head of a company page: status, warnings, the facts people look for, and who owns whom."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from core.text import country_name
from monitoring.elements.formatting import heading, is_nothing, lower_first, short
from monitoring.elements.json_paths import same_value
from monitoring.elements.severity import CRITICAL_WHEN_TRUE
from monitoring.history.company_projection import columns_of
from monitoring.history.state import CompanyState, Event
from monitoring.models import Kind
from monitoring.scores.compact import compact
from portfolio.models import Company, ReferenceCategory
from portfolio.reference_data.words import industry_words, words_of_description

LINKAGE = "organization.corporateLinkage"
ROLES = (
    ("headQuarter", _("Headquarters")),
    ("parent", _("Parent")),
    ("domesticUltimate", _("Domestic ultimate")),
    ("globalUltimate", _("Global ultimate")),
)
FACTS = (
    ("primaryAddress", _("Address")),
    ("registeredName", _("Registered name")),
    ("businessEntityType", _("Legal form")),
    ("registrationNumbers.registrationNumber", _("Registration number")),
    ("industryCodes", _("Industry")),
    ("startDate", _("Founded")),
    ("numberOfEmployees", _("Employees")),
    ("financials.yearlyRevenue", _("Yearly revenue")),
    ("mostSeniorPrincipal.fullName", _("Most senior principal")),
    ("telephone", _("Telephone")),
    ("websiteAddress.url", _("Website")),
)
# What is stored is compared, and is what programs read; people read it in their language. That a company operates
# is no good sign beside an open bankruptcy: only the others have a color.
STATUSES: Mapping[str, tuple[str, str | Promise]] = {
    "active": ("calm", _("Active")),
    "out of business": ("bad", _("Out of business")),
    "deleted at d&b": ("bad", _("Deleted at D&B")),
    "merged into another company": ("bad", _("Merged into another company")),
}


def status_tone(status: str) -> str:
    known = STATUSES.get(status.lower())
    return known[0] if known else "calm"


def status_words(status: str) -> str:
    """In the reader's language where it is one of the common ones; else as D&B sends it."""
    known = STATUSES.get(status.lower())
    return str(known[1]) if known else words_of_description(ReferenceCategory.OPERATING_STATUS, status)


@dataclass(frozen=True, slots=True)
class Summary:
    """One fact, in full where its value is shortened, and what it is today where that differs."""

    label: str
    value: str
    today: str = ""
    full: str = ""


@dataclass(frozen=True, slots=True)
class Head:
    """Name, place and status of a company at a moment."""

    name: str
    place: str
    status: str
    warnings: tuple[str, ...]
    review_since: Event | None

    @property
    def tone(self) -> str:
        return status_tone(self.status)

    @property
    def status_words(self) -> str:
        return status_words(self.status)


def head_of(profile: CompanyState, review: Event | None = None) -> Head:
    """`review` is the last notice of one."""
    columns = columns_of(profile)
    place = ", ".join(filter(None, [columns["city"], country_name(columns["country"])]))
    return Head(columns["name"], place, columns["operating_status"], tuple(_warnings(profile)), _open(review))


def _warnings(profile: CompanyState) -> Iterator[str]:
    """Adverse facts, as long as they hold."""
    legal = profile.value("organization.legalEvents")
    for name, value in legal.items() if isinstance(legal, dict) else ():
        if value is True and name.startswith("hasOpen"):
            yield heading(name)
    for path in CRITICAL_WHEN_TRUE:
        if not path.startswith("legalEvents.") and profile.value(f"organization.{path}") is True:
            yield heading(path.rpartition(".")[2])


def _open(review: Event | None) -> Event | None:
    """Where nothing has ended it."""
    return review if review and review.kind == Kind.UNDER_REVIEW else None


def summaries(then: Mapping[str, Any], today: Mapping[str, Any]) -> list[Summary]:
    """The facts that there are; of each what it is today, where that differs."""
    found = []
    for path, label in FACTS:
        before, after = (_first(document, path.split(".")) for document in (then, today))
        value, now = _text(before), _text(after)
        if value and not _is_repeated(path, before, then):
            is_same = same_value(before, after) or value == now
            full = short(before, 200) if path != "industryCodes" else value
            today_text = "" if is_same else now or gettext("none")
            found.append(Summary(str(label), value, today_text, "" if full == value else full))
    return found


def _is_repeated(path: str, value: Any, document: Mapping[str, Any]) -> bool:
    """A registered name that is the name above the facts."""
    return path == "registeredName" and value == document.get("primaryName")


def _text(value: Any) -> str:
    """Amounts as people compare them, an industry by its name."""
    if is_nothing(value):
        return ""
    if isinstance(value, dict) and isinstance(value.get("code"), str | int):
        return _industry(value)
    amount = value.get("value") if _is_amount(value) else None
    if isinstance(amount, int | float | Decimal) and not isinstance(amount, bool):
        return compact(amount, str(value.get("currency", "")))
    return short(value, 200)


def _industry(value: Mapping[str, Any]) -> str:
    described = value.get("description")
    scheme, code = str(value.get("typeDnBCode", "")), str(value["code"])
    return industry_words(scheme, code, described if isinstance(described, str) else "")


def _first(value: Any, names: Sequence[str]) -> Any:
    """Of arrays the first item: D&B puts what it prefers there."""
    for name in names:
        value = _item(value)
        value = value.get(name) if isinstance(value, Mapping) else None
    value = _item(value)
    return {name: value[name] for name in ("value", "currency") if name in value} if _is_amount(value) else value


def _item(value: Any) -> Any:
    return (value[0] if value else None) if isinstance(value, list) else value


def _is_amount(value: Any) -> bool:
    return isinstance(value, dict) and "value" in value


# Owners


@dataclass(slots=True)
class Relative:
    """A company above this one, or this one itself; `company` where it is known here."""

    role: str
    duns: str
    name: str
    today: str = ""
    itself: str = ""
    company: Company | None = None
    is_monitored: bool = False


def relatives(duns: str, then: CompanyState, today: CompanyState) -> list[Relative]:
    """Each company once, with all that it is to this one."""
    found: dict[tuple[str, ...], Relative] = {}
    for name, role in ROLES:
        before, after = (_named(profile.value(f"{LINKAGE}.{name}")) for profile in (then, today))
        if any(before):
            now = "" if before == after else _spoken(*after) or gettext("none")
            itself = _itself(name) if before[0] == duns else ""
            row = Relative(str(role), *before, today=now, itself=itself)
            known = found.setdefault((*before, now, itself), row)
            if known is not row:
                known.role = f"{known.role}, {lower_first(row.role)}"
    return list(found.values())


def _itself(name: str) -> str:
    return gettext("None (this company has no parent)") if name == "parent" else gettext("This company itself")


def _spoken(duns: str, name: str) -> str:
    return f"{name} ({duns})" if duns and name else name or duns


def _named(value: Any) -> tuple[str, str]:
    """D-U-N-S number and name, as far as D&B sends them."""
    if not isinstance(value, dict):
        return "", ""
    duns, name = value.get("duns"), value.get("primaryName")
    return duns if isinstance(duns, str) else "", name if isinstance(name, str) else ""


def family(profile: CompanyState) -> list[tuple[str, str]]:
    """How large the group is."""
    counts = (
        (gettext("Companies in the group"), "globalUltimateFamilyTreeMembersCount"),
        (gettext("Branches"), "branchesCount"),
    )
    found = ((label, profile.value(f"{LINKAGE}.{name}")) for label, name in counts)
    return [(label, short(value)) for label, value in found if value is not None]
