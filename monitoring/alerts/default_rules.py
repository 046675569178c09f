"""The default rules, from what matters in a change. People change it, switch it off, reset it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.apps import AppConfig, apps
from django.conf import settings
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import override

from core.db import insert_new
from monitoring.models import AlertRule, Combination, ConsumerOffset, Grouping, Kind, Severity, content_key

INSTALLED = "ready pack of rules"
LEGAL = ("hasOpenBankruptcy", "hasBankruptcy", "hasInsolvency", "hasLiquidation", "hasSuspensionOfPayments")
LINKAGE = ("globalUltimate", "domesticUltimate", "parent", "headQuarter")
MEDIUM = (
    "primaryName",
    "registeredName",
    "registrationNumbers",
    "businessEntityType",
    "primaryAddress",
    "registeredAddress",
    "mostSeniorPrincipal",
    "businessTrading",
)


def _rule(name: Promise, severity: Severity, description: Promise, **fields: Any) -> dict[str, Any]:
    return {"name": name, "severity": severity, "description": description, **fields}


def _paths(*paths: str) -> str:
    return "\n".join(f"organization.{path}" for path in paths)


DEFAULT_RULES: Mapping[str, dict[str, Any]] = {
    "out-of-business": _rule(
        _("Out of business"),
        Severity.CRITICAL,
        _("D&B reports that the company no longer operates."),
        elements=_paths("dunsControlStatus.operatingStatus"),
        conditions="becomes 403\nbecomes Out of business",
    ),
    "insolvency": _rule(
        _("Bankruptcy or insolvency"),
        Severity.CRITICAL,
        _("Bankruptcy, insolvency, liquidation or suspension of payments of the company itself."),
        elements=_paths(*(f"legalEvents.{name}" for name in LEGAL)),
        conditions="becomes true",
    ),
    "exclusions": _rule(
        _("Government debarment (SAM exclusion)"),
        Severity.CRITICAL,
        _("The company is barred from government contracts, or sanctioned."),
        elements=_paths("exclusions.hasActiveExclusions"),
        conditions="becomes true",
    ),
    "high-risk": _rule(
        _("High risk business or deteriorating"),
        Severity.CRITICAL,
        _("D&B flags the company as a high risk business or as deteriorating."),
        elements=_paths("**.isHighRiskBusiness", "**.isDeterioratingBusiness"),
        conditions="becomes true",
    ),
    "gone": _rule(
        _("Deleted or merged at D&B"),
        Severity.CRITICAL,
        _("D&B sends no further changes for this D-U-N-S number."),
        kinds=f"{Kind.DELETED},{Kind.TRANSFERRED}",
    ),
    "silent": _rule(
        _("Under review or no longer monitored"),
        Severity.HIGH,
        _("D&B has paused or stopped sending changes for this company."),
        kinds=f"{Kind.UNDER_REVIEW},{Kind.LEFT},{Kind.REMOVED}",
    ),
    "open-legal-events": _rule(
        _("Open suits, liens or judgments"),
        Severity.HIGH,
        _("Any open legal event other than bankruptcy."),
        elements=_paths("legalEvents.hasOpen*") + "\n!organization.legalEvents.hasOpenBankruptcy",
        conditions="becomes true",
    ),
    "significant-events": _rule(
        _("Significant events"),
        Severity.HIGH,
        _("Fire, fraud, change of control and similar events."),
        elements=_paths("significantEvents.*"),
        conditions="becomes true",
    ),
    "score-worse": _rule(
        _("Failure or delinquency score declined"),
        Severity.HIGH,
        _("The failure score or delinquency score drops or gets worse: its percentile falls, or its class rises."),
        elements=_paths("dnbAssessment.failureScore", "dnbAssessment.delinquencyScore"),
        conditions="gets worse",
    ),
    "rating-worse": _rule(
        _("D&B rating declined"),
        Severity.HIGH,
        _("The D&B standard rating drops or gets worse."),
        elements=_paths("dnbAssessment.standardRating"),
        conditions="gets worse",
    ),
    "ownership": _rule(
        _("New owner"),
        Severity.HIGH,
        _("The parent, headquarters, domestic ultimate or global ultimate changes."),
        elements=_paths(*(f"corporateLinkage.{name}.duns" for name in LINKAGE)),
    ),
    "group": _rule(
        _("Critical change at a group member"),
        Severity.HIGH,
        _("A company has a critical change, and you monitor others of its group. Their owners are notified, too."),
        kinds=f"{Kind.ELEMENT},{Kind.DELETED},{Kind.TRANSFERRED}",
        elements=_paths(
            "dunsControlStatus.operatingStatus",
            *(f"legalEvents.{name}" for name in LEGAL),
            "exclusions.hasActiveExclusions",
            "**.isHighRiskBusiness",
            "**.isDeterioratingBusiness",
        ),
        conditions="becomes 403\nbecomes Out of business\nbecomes true",
        group_only=True,
    ),
    "master-data": _rule(
        _("Company data changed"),
        Severity.MEDIUM,
        _("Name, legal form, registration number, address or management changes."),
        elements=_paths(*MEDIUM),
    ),
}


def columns_of(name: str) -> dict[str, Any]:
    """Every column that people can change, as the default has it."""
    defaults = {
        "active": True,
        "kinds": "",
        "elements": "",
        "combination": Combination.ANY,
        "conditions": "",
        "registrations": "",
        "companies": "",
        "tags": "",
        "countries": "",
        "min_exposure": None,
        "group_only": False,
        "grouping": Grouping.COMPANY_DAY,
        "notify_owner": True,
        "notify_users": "",
        "quiet_from": None,
        "quiet_until": None,
        "quiet_zone": "UTC",
    }
    # Rows are people's: they are written in the installation's language, whoever asks for them.
    with override(settings.LANGUAGE_CODE):
        words = {column: str(DEFAULT_RULES[name][column]) for column in ("name", "description")}
    return {**defaults, **DEFAULT_RULES[name], **words, "default_key": name}


def install_default_rules(sender: AppConfig | None = None, **kwargs: Any) -> None:
    """Once, at the first start: what people delete later stays deleted. Runs after every migration."""
    if sender is not None and ConsumerOffset._meta.db_table not in _tables(kwargs):
        return
    if not ConsumerOffset.objects.filter(consumer=INSTALLED).exists():
        restore_default_rules()
        insert_new(ConsumerOffset, [ConsumerOffset(consumer=INSTALLED, position=1)])


def _tables(kwargs: Mapping[str, Any]) -> set[str]:
    """Of a database in the state that was migrated to, which may be an old one."""
    state = kwargs.get("apps", apps)
    known = "monitoring" in state.all_models and "alertrule" in state.all_models["monitoring"]
    return {ConsumerOffset._meta.db_table} if known else set()


def restore_default_rules() -> int:
    """Put back the default rules that were deleted; returns how many rules."""
    rows = [
        AlertRule(id=content_key("pack", name), changed_at=timezone.now(), **columns_of(name)) for name in DEFAULT_RULES
    ]
    return len(insert_new(AlertRule, rows))


def reset(rule: AlertRule) -> bool:
    """To its default; False for a rule that has none."""
    if rule.default_key not in DEFAULT_RULES:
        return False
    columns = {**columns_of(rule.default_key), "changed_at": timezone.now()}
    return bool(AlertRule.objects.filter(pk=rule.pk).update(**columns))


def is_changed(rule: AlertRule) -> bool:
    """Whether people have changed it from its default."""
    if rule.default_key not in DEFAULT_RULES:
        return False
    # One that nobody has saved may have the name that its default had in an earlier version.
    ignored = {"active"} if rule.created_by else {"active", "name", "description"}
    return any(
        getattr(rule, name) != value for name, value in columns_of(rule.default_key).items() if name not in ignored
    )
