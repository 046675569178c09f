"""Rules of alerts, as rows and as the form sends them."""

from typing import Any

from monitoring.models import AlertRule, Severity


def a_rule(name: str = "Out of business", **fields: Any) -> AlertRule:
    """The only rule there is, unless others were made before by it: the ready pack is put aside."""
    AlertRule.objects.exclude(default_key="").delete()
    return AlertRule.objects.create(name=name, **{"active": True, "severity": Severity.CRITICAL, **fields})


def rule_form(**fields: Any) -> dict[str, Any]:
    return {
        "name": "Names",
        "severity": Severity.HIGH.value,
        "combination": "any",
        "grouping": "company_day",
        "quiet_zone": "UTC",
        "element_paths": "primaryName",
        "conditions_operator": ["contains", ""],
        "conditions_value": ["in liquidation", ""],
        **fields,
    }
