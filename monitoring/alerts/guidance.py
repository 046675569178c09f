"""What an alert means and what to do next: for each default rule, change type and group of data elements."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from monitoring.alerts.default_rules import DEFAULT_RULES
from monitoring.elements.groups import group_of
from monitoring.models import Alert, AlertItem, AlertKind, AlertRule, Kind

Text = str | Promise


@dataclass(frozen=True, slots=True)
class Guidance:
    meaning: Text
    steps: tuple[Text, ...]


BY_DEFAULT_RULE: Mapping[str, Guidance] = {
    "out-of-business": Guidance(
        _("D&B reports that the company has stopped operating. It may no longer deliver, or pay open invoices."),
        (
            _("Confirm the status with your contact at the company or the local trade register."),
            _("Stop new orders and shipments until the status is confirmed."),
            _("Review open invoices, prepayments and contracts."),
        ),
    ),
    "insolvency": Guidance(
        _(
            "Bankruptcy or insolvency proceedings against this company are open or recorded. Its payments and "
            "deliveries are at risk."
        ),
        (
            _("Hold new orders and credit until you have reviewed the case."),
            _("Find the court, the administrator and the deadline for filing claims."),
            _("Inform accounts receivable and legal about open items."),
        ),
    ),
    "exclusions": Guidance(
        _(
            "The company is on a government exclusion list, such as SAM in the US. Doing business with it may break "
            "government contracts or the law."
        ),
        (
            _("Check the entry on the official list (for the US, SAM.gov)."),
            _("Hold new orders and payments, and inform your compliance team."),
        ),
    ),
    "high-risk": Guidance(
        _("D&B sees a much higher risk that the company fails or pays late than before."),
        (
            _("Check the scores, legal events and payment behavior on the company page."),
            _("Review the credit limit and payment terms."),
            _("Ask the company for current financial statements."),
        ),
    ),
    "gone": Guidance(
        _(
            "D&B deleted this D-U-N-S number or merged it into another company. D&B sends no further changes for this "
            "number."
        ),
        (
            _("Find the surviving D-U-N-S number in the change below."),
            _("Update your supplier or customer record."),
            _("Request monitoring for the surviving number, and stop monitoring this one."),
        ),
    ),
    "silent": Guidance(
        _(
            "D&B is reviewing the company or no longer monitors it. Until this ends you may not be notified of new "
            "changes."
        ),
        (
            _("Check the registration: was the company removed on purpose?"),
            _("If not, request monitoring again."),
            _("If the company is under review, no action is needed. D&B reports when the review ends."),
        ),
    ),
    "open-legal-events": Guidance(
        _("A suit, lien or judgment is open. Creditors are taking legal action, often because of unpaid bills."),
        (
            _("Check the number and age of legal events on the company page."),
            _("Compare them with the company's size and your open balance."),
            _("Review the credit limit if several events are open."),
        ),
    ),
    "significant-events": Guidance(
        _("D&B recorded an event that can affect the business, such as a fire, fraud or a change of control."),
        (
            _("Ask your contact at the company how operations are affected."),
            _("Review open orders and alternative suppliers."),
        ),
    ),
    "score-worse": Guidance(
        _("D&B now sees a higher risk that the company fails (failure score) or pays late (delinquency score)."),
        (
            _("Check whether the decline is a one-time change or a trend on the company page."),
            _("Compare the new risk class with your credit policy."),
            _("Reduce the credit limit or shorten payment terms if the policy requires it."),
        ),
    ),
    "rating-worse": Guidance(
        _("D&B lowered its rating, which combines financial strength and creditworthiness."),
        (
            _("Compare the new rating with your credit policy."),
            _("Review the credit limit and open orders."),
        ),
    ),
    "ownership": Guidance(
        _("The company has a new parent, headquarters or ultimate owner. Risk and contract terms may change with it."),
        (
            _("Check the new owner on the Ownership tab of the company."),
            _("Screen the new owner for compliance."),
            _("Review contracts with a change-of-control clause, and the exposure to the new group."),
        ),
    ),
    "group": Guidance(
        _(
            "This company is in difficulties. You monitor other companies of its corporate group, and they may be "
            "affected next."
        ),
        (
            _("Open the group and see which of your companies belong to it, and what is at stake together."),
            _("Ask your contacts whether guarantees, deliveries or payments depend on the company."),
            _("Review limits and terms for the whole group, not only for this company."),
        ),
    ),
    "master-data": Guidance(
        _("Core company data changed. The same data in your other systems may now be out of date."),
        (
            _("Confirm the new value with the company, especially before you change payment details."),
            _("Update your ERP, CRM or supplier record."),
        ),
    ),
}
BY_KIND: Mapping[str, Guidance] = {
    Kind.DELETED: BY_DEFAULT_RULE["gone"],
    Kind.TRANSFERRED: BY_DEFAULT_RULE["gone"],
    Kind.UNDER_REVIEW: BY_DEFAULT_RULE["silent"],
    Kind.LEFT: BY_DEFAULT_RULE["silent"],
    Kind.REMOVED: BY_DEFAULT_RULE["silent"],
    Kind.RESTORED: Guidance(
        _("D&B restored a D-U-N-S number that it had deleted. D&B sends changes for it again."),
        (_("Check that the company data is still correct, and close related alerts."),),
    ),
    Kind.REVIEWED: Guidance(
        _("D&B finished its review of the company. Changes are sent again."),
        (_("Check the latest changes on the company page."),),
    ),
    Kind.ENTERED: Guidance(
        _("D&B started to monitor the company."), (_("No action is needed. Check that the company was requested."),)
    ),
}
BY_GROUP: Mapping[str, Guidance] = {
    "scores": Guidance(
        _("A D&B score or rating changed. It shows how likely the company is to fail or pay late."),
        (
            _("Check on the company page how the score has changed over time."),
            _("Compare the new value with your credit policy."),
        ),
    ),
    "legal": Guidance(
        _("A legal or other significant event affecting the company was reported or updated."),
        (
            _("Check the details on the company page."),
            _("Review open orders and the credit limit if the event is new."),
        ),
    ),
    "ownership": BY_DEFAULT_RULE["ownership"],
    "financials": Guidance(
        _("New or changed financial figures are available."),
        (_("Compare them with the previous figures."), _("Review the credit limit if the figures fell.")),
    ),
    "payment": Guidance(
        _("The company pays its other suppliers earlier or later than before."),
        (
            _("Compare with your own payment experience."),
            _("Shorten payment terms or reduce the limit if payments get slower."),
        ),
    ),
    "esg": Guidance(
        _("D&B's environmental, social or governance ranking of the company changed."),
        (_("Compare it with your supplier policy."), _("Ask the company for its own report if the ranking fell.")),
    ),
    "disruption": Guidance(
        _("An event outside of the company can disrupt it, such as a disaster or an outage in its region."),
        (_("Ask the company whether it can deliver."), _("Check for other suppliers if the company is critical.")),
    ),
    "diversity": Guidance(
        _("Information for supplier diversity programs changed."),
        (_("Update your supplier record."), _("Check whether a certification has expired.")),
    ),
    "management": Guidance(
        _("The company's management changed."),
        (_("Update your contacts."), _("Confirm who may sign for the company.")),
    ),
    "contact": BY_DEFAULT_RULE["master-data"],
    "company": BY_DEFAULT_RULE["master-data"],
}
FLOOD = Guidance(
    _("The rule matched so many changes in one hour that the rest are combined in this alert."),
    (
        _("Check whether these changes have a single cause, such as a data update at D&B."),
        _("If this happens often, make the rule narrower and test it on history."),
    ),
)
NEW_COMPANIES = Guidance(
    _("D&B sent the first data of these companies. Some of them already met your rules then."),
    (
        _("Review the companies listed below, the most severe first."),
        _("Close this alert when you have reviewed these companies."),
    ),
)
ANY = Guidance(
    _("A change matched this rule."),
    (_("Check the change below and the company's timeline."), _("Add a comment with your decision, then close it.")),
)


def guidance_for(alert: Alert, rule: AlertRule | None, facts: Sequence[AlertItem]) -> Guidance:
    if alert.kind == AlertKind.FLOOD:
        return FLOOD
    if alert.kind == AlertKind.BASELINE:
        return NEW_COMPANIES
    if rule and _takes_what_the_default_does(rule):
        return BY_DEFAULT_RULE[rule.default_key]
    if not facts:
        return ANY
    return BY_KIND.get(facts[0].kind) or BY_GROUP.get(group_of(facts[0].element), ANY)


def is_about_a_gone_company(facts: Sequence[AlertItem]) -> bool:
    return any(fact.kind in (Kind.DELETED, Kind.TRANSFERRED) for fact in facts)


def with_proposal(guidance: Guidance) -> Guidance:
    """Where a proposal names the surviving number, and accepting it requests that one and withdraws this one."""
    gone = BY_DEFAULT_RULE["gone"]
    return replace(guidance, steps=gone.steps[1:-1]) if guidance is gone else guidance


def _takes_what_the_default_does(rule: AlertRule) -> bool:
    """A default rule that was made to look for something else is explained by what it found."""
    default = DEFAULT_RULES.get(rule.default_key)
    return default is not None and all(
        getattr(rule, name) == default.get(name, "") for name in ("kinds", "elements", "conditions")
    )
