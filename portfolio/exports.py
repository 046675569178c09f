"""The lists of this app as files and in chosen columns; `core.exports` writes the files."""

from __future__ import annotations

from collections.abc import Collection

from django.utils.translation import gettext_lazy as _

from core.admin.audit_actions import action_label, object_label
from core.admin.audit_words import NAMES, describe, description
from core.admin.filter_words import after_text, before_text, changes_text
from core.lists.listings import Column, Listing, Row, declare
from core.models import AuditEntry
from core.text import country_name
from portfolio.companies.columns import FIGURE_COLUMNS, OVER_LIMIT_COLUMNS, REVIEW_COLUMNS
from portfolio.models import Company, Contract, DnbCall, Proposal, Registration, Subject, SubjectImport
from portfolio.proposals.registrations import registrations_of


def company_names(numbers: Collection[str]) -> dict[str, str]:
    """Of the companies that are known by a name."""
    return dict(Company.objects.filter(pk__in=numbers).exclude(name="").values_list("duns", "name"))


NAMES.append(company_names)


def with_companies(rows: list[Row]) -> None:
    companies = Company.objects.in_bulk(list({row.company_id for row in rows}))
    for row in rows:
        row.company = companies.get(row.company_id) or Company(duns=row.company_id)


def with_registrations(rows: list[Row]) -> None:
    registrations = Registration.objects.defer("detail").in_bulk(list({row.registration_id for row in rows}))
    for row in rows:
        row.registration = registrations[row.registration_id]


def with_both(rows: list[Row]) -> None:
    with_companies(rows)
    with_registrations(rows)


def with_acting_registrations(rows: list[Row]) -> None:
    with_companies(rows)
    registrations = registrations_of(rows)
    for row in rows:
        row.registrations = registrations[row.pk]
        row.references = ", ".join(registration.reference for registration in row.registrations)


# What each list of the portfolio holds

COMPANY_COLUMNS = (
    Column("duns", "D-U-N-S", lambda row: row.company_id, 12),
    Column("name", _("Name"), lambda row: row.company.name, 36),
)

declare(
    Listing(
        Company,
        (
            Column("duns", "D-U-N-S", lambda row: row.duns, 12),
            Column("name", _("Name"), lambda row: row.name, 36),
            Column("city", _("City"), lambda row: row.city),
            Column("country", _("Country code"), lambda row: row.country, 8),
            Column("country_name", _("Country"), lambda row: country_name(row.country)),
            Column("operating_status", _("Operating status"), lambda row: row.operating_status),
            Column("changed_at", _("Last update"), lambda row: row.changed_at, 26),
            *FIGURE_COLUMNS,
            *OVER_LIMIT_COLUMNS,
            *REVIEW_COLUMNS,
        ),
        duns=lambda row: str(row.duns),
    )
)
# The first five are what an import recognises, so that the file can be edited and brought back.
declare(
    Listing(
        Subject,
        (
            *COMPANY_COLUMNS,
            Column("customer_reference", _("Customer reference"), lambda row: row.customer_reference),
            Column("tags", _("Tags"), lambda row: row.tags),
            Column("owner", _("Owner"), lambda row: row.owner),
            Column("registration", _("Registration"), lambda row: row.registration.reference),
            Column("requested", _("Requested"), lambda row: row.requested, 9),
            Column("state", _("At D&B"), lambda row: row.get_state_display()),
            Column("code", _("D&B code"), lambda row: row.code, 12),
            Column("message", _("D&B message"), lambda row: row.message, 36),
            Column("replacement", _("Replacement D-U-N-S"), lambda row: row.replacement, 14),
            Column("monitored_since", _("Monitored since"), lambda row: row.monitored_since, 14),
            Column("monitored_until", _("Monitored until"), lambda row: row.monitored_until, 14),
            Column("remove_on", _("Removal date"), lambda row: row.remove_on, 14),
            Column("requested_by", _("Requested by"), lambda row: row.requested_by),
            Column("requested_at", _("Requested on"), lambda row: row.requested_at, 26),
        ),
        complete=with_both,
        duns=lambda row: str(row.company_id),
    )
)
declare(
    Listing(
        Registration,
        (
            Column("reference", _("Registration"), lambda row: row.reference, 30),
            Column("contract", _("Contract"), lambda row: row.contract_id),
            Column("state", _("State"), lambda row: row.get_state_display()),
            Column("adopted", _("D&B's list adopted"), lambda row: row.adopted, 12),
            Column("last_pulled_at", _("Up to date as of"), lambda row: row.last_pulled_at, 26),
            Column("next_pull_at", _("Next pull"), lambda row: row.next_pull_at, 26),
            Column("cadence", _("Pull frequency"), lambda row: row.get_cadence_display()),
            Column("cadence_every", _("Interval"), lambda row: row.cadence_every),
            Column("stopped_reason", _("Reason for stop"), lambda row: row.stopped_reason, 36),
        ),
    )
)
declare(
    Listing(
        SubjectImport,
        (
            Column("id", _("Import"), lambda row: str(row.pk), 38),
            Column("file_name", _("Name"), str, 30),
            Column("registration", _("Registration"), lambda row: row.registration.reference),
            Column("mode", _("Action"), lambda row: row.get_mode_display(), 30),
            Column("state", _("State"), lambda row: row.get_state_display(), 26),
            Column("total", _("Rows"), lambda row: row.total, 9),
            Column("new_billable", _("New billable companies"), lambda row: row.new_billable),
            Column("removals", _("Removals"), lambda row: row.removals, 10),
            Column("created_by", _("Uploaded by"), lambda row: row.created_by),
            Column("created_at", _("Uploaded"), lambda row: row.created_at, 26),
            Column("confirmed_by", _("Confirmed by"), lambda row: row.confirmed_by),
            Column("confirmed_at", _("Confirmed"), lambda row: row.confirmed_at, 26),
            Column("approved_by", _("Approved by"), lambda row: row.approved_by),
            Column("error", _("Error"), lambda row: row.error, 36),
        ),
        complete=with_registrations,
    )
)
declare(
    Listing(
        Proposal,
        (
            *COMPANY_COLUMNS,
            Column("kind", _("Proposal"), lambda row: row.get_kind_display(), 38),
            Column("replacement", _("Replacement D-U-N-S"), lambda row: row.replacement, 12),
            Column("cost", _("New billable companies"), lambda row: row.cost),
            Column("registration", _("Registration"), lambda row: row.references),
            Column("state", _("State"), lambda row: row.get_state_display()),
            Column("reason", _("Reason"), lambda row: row.reason, 48),
            Column("created_at", _("Proposed"), lambda row: row.created_at, 26),
            Column("confirmed_by", _("Confirmed by"), lambda row: row.confirmed_by),
            Column("decided_by", _("Decided by"), lambda row: row.decided_by),
            Column("decided_at", _("Decided"), lambda row: row.decided_at, 26),
            Column("note", _("Reason for dismissal"), lambda row: row.note, 36),
        ),
        complete=with_acting_registrations,
        duns=lambda row: str(row.company_id),
    )
)
declare(
    Listing(
        AuditEntry,
        (
            Column("at", _("Date"), lambda row: row.at, 26),
            Column("actor", _("User"), lambda row: row.actor),
            Column("action", _("Action"), lambda row: action_label(row.action), 30),
            Column("action_key", _("Action key"), lambda row: row.action),
            Column("what", _("Object"), lambda row: object_label(row.what), 20),
            Column("object_key", _("Object key"), lambda row: row.what),
            Column("key", _("Object ID"), lambda row: row.key, 38),
            Column("summary", _("Description"), description, 60),
            Column("changes", _("Changes"), changes_text, 60),
            Column("before", _("Before"), before_text, 36),
            Column("after", _("After"), after_text, 36),
            Column("before_stored", _("Before, as stored"), lambda row: row.before, 36),
            Column("after_stored", _("After, as stored"), lambda row: row.after, 36),
        ),
        complete=describe,
        whole=True,
    )
)
declare(
    Listing(
        DnbCall,
        (
            Column("called_at", _("Time"), lambda row: row.called_at, 26),
            Column("contract", _("Contract"), lambda row: row.contract_id),
            Column("kind", _("Kind of call"), lambda row: row.get_kind_display()),
            Column("about", _("Subject"), lambda row: row.about, 36),
            Column("requested_by", _("Requested by"), lambda row: row.requested_by),
            Column("outcome", _("Result"), lambda row: row.get_outcome_display()),
            Column("code", _("Code"), lambda row: row.code, 12),
            Column("ended_at", _("Ended"), lambda row: row.ended_at, 26),
        ),
    )
)
declare(
    Listing(
        Contract,
        (
            Column("name", _("Contract"), lambda row: row.name),
            Column("anniversary", _("Anniversary"), lambda row: row.anniversary, 14),
            Column("contracted_number", _("Contracted number"), lambda row: row.contracted_number),
            Column("cap", _("Addition limit for one user"), lambda row: row.cap),
        ),
    )
)
