"""Remove a registration with all that came by it; what another registration told as well stays, as that one's."""

from __future__ import annotations

import uuid
from collections.abc import Iterator

from django.db.models import Max, Model, QuerySet
from django.utils.translation import gettext

from core.audit import note_act
from core.blobs import delete_bytes
from core.db import in_batches
from core.leases import is_held
from dnbmon_site.operations.erase import blobs
from dnbmon_site.operations.erase.company import CannotForget, Removal, count_again, tables
from dnbmon_site.operations.erase.rule_scopes import narrow, release_webhooks
from dnbmon_site.operations.erase.story import hand_over_facts, settle_what_is_left
from dnbmon_site.operations.erase.touched import forget_touched, remembered, touched_by
from monitoring.benefit.review import forget_reviews
from monitoring.figures import checkpoints
from monitoring.figures.projection import project as project_figures
from monitoring.file_intake.parts import part_keys
from monitoring.history import checkpoints as history_checkpoints
from monitoring.history.company_projection import project
from monitoring.models import (
    Alert,
    Change,
    DailyStat,
    DataFetch,
    DeadLetter,
    Decision,
    DeliveredFile,
    Delivery,
    FetchedCompany,
    Follow,
    FollowKind,
    Notification,
    Observation,
    Publication,
    ReplayPass,
    Review,
)
from monitoring.publications.consumers import mend_places, rewind_consumers
from monitoring.rebuild.company_times import mend_times
from portfolio.companies.word_index import verify_words
from portfolio.imports.states import file_key
from portfolio.models import (
    CompanySearch,
    Membership,
    MembershipCheck,
    Proposal,
    Registration,
    RegistrationState,
    Subject,
    SubjectImport,
    SyncRun,
)

AT_ONCE = 500


def refuse(row: Registration) -> None:
    if row.state == RegistrationState.ACTIVE:
        raise CannotForget(f"{row} is active. Pause it first, and stop the worker until it is erased.")
    if is_held(row):
        raise CannotForget(f"{row} is being pulled. Try again in 2 minutes.")


def tables_of(row: Registration) -> Iterator[QuerySet[Model]]:
    """Those that stand on others first."""
    for model in (Alert, Observation, Change, Notification, DeadLetter, Proposal, Membership, Subject):
        yield model._default_manager.filter(registration=row)
    yield from (SyncRun.objects.filter(registration=row), MembershipCheck.objects.filter(registration=row))
    imports = list(SubjectImport.objects.filter(registration=row).values_list("pk", flat=True))
    yield CompanySearch.objects.filter(subject_import__in=imports)
    yield SubjectImport.objects.filter(registration=row)
    yield Follow.objects.filter(kind=FollowKind.REGISTRATION, subject=str(row.pk))
    yield DailyStat.objects.filter(registration=row)
    yield from (FetchedCompany.objects.filter(registration=row), DataFetch.objects.filter(registration=row))
    yield DeliveredFile.objects.filter(registration=row)
    yield Delivery.objects.filter(registration=row)
    yield ReplayPass.objects.filter(registration=row)


def plan(row: Registration) -> Removal:
    removal = Removal()
    for rows in tables_of(row):
        removal.counts[str(rows.model._meta.verbose_name_plural)] += rows.count()
    return removal


def forget(row: Registration, *, by: str) -> Removal:
    """May be stopped and begun again. Stop the worker first: the feed loses entries, and its consumers are set back."""
    refuse(row)
    removal = plan(row)
    deliveries = list(Delivery.objects.filter(registration=row).values_list("pk", flat=True))
    touched = remembered(row, touched_by(row, deliveries))
    remove_bytes(row, deliveries)
    left = hand_over_facts(row, deliveries)
    remove_publications(deliveries)
    narrow("registrations", row.reference)
    release_webhooks(row)
    removal.counts["exports"] += blobs.remove_exports()
    for rows in tables_of(row):
        remove(rows)
    settle_what_is_left(left)
    bring_up_to_date(touched.companies, removal)
    count_again(touched.days, set())
    forget_touched(row)
    row.delete()
    summary = gettext("Registration %(reference)s erased: %(removal)s")
    summary %= {"reference": row.reference, "removal": removal}
    note_act(actor=by, action="forget", what="registration", key=row.reference[:128], summary=summary)
    return removal


def remove_bytes(row: Registration, deliveries: list[uuid.UUID]) -> None:
    owners = [*deliveries, *DeadLetter.objects.filter(registration=row).values_list("pk", flat=True)]
    for file in DeliveredFile.objects.filter(registration=row):
        owners += [file.pk, *part_keys(file)]
    owners += MembershipCheck.objects.filter(registration=row).values_list("pk", flat=True)
    for made in SubjectImport.objects.filter(registration=row):
        owners += [made.pk, file_key(made), *([made.confirmed_list] if made.confirmed_list else [])]
    for owner in owners:
        delete_bytes(owner)


def remove_publications(deliveries: list[uuid.UUID]) -> None:
    """Readers are first set back to what remains: a number that is given again must not count as read."""
    for _ in range(2):
        newest = newest_other(set(deliveries))
        rewind_consumers(newest)
        for batch in in_batches(deliveries):
            Publication.objects.filter(delivery__in=batch).delete()
    mend_places()


def newest_other(deliveries: set[uuid.UUID]) -> int:
    sequence = Publication.objects.aggregate(last=Max("sequence"))["last"] or 0
    while sequence:
        key = Publication.objects.filter(sequence=sequence).values_list("delivery_id", flat=True).first()
        if key and key not in deliveries:
            return int(sequence)
        sequence -= 1
    return 0


def remove(rows: QuerySet[Model]) -> None:
    while batch := list(rows.order_by("pk").values_list("pk", flat=True)[:AT_ONCE]):
        rows.model._default_manager.filter(pk__in=batch).delete()


def bring_up_to_date(companies: set[str], removal: Removal) -> None:
    """Companies of which nothing is left go, unless somebody decided on them; the others show what is still known."""
    for batch in in_batches(sorted(companies), 200):
        known = set(Subject.objects.filter(company__in=batch).values_list("company_id", flat=True))
        known |= set(Notification.objects.filter(company__in=batch).values_list("company_id", flat=True))
        known |= set(Change.objects.filter(company__in=batch).values_list("company_id", flat=True))
        for model in (Decision, Review):
            known |= set(model._default_manager.filter(company__in=batch).values_list("company_id", flat=True))
        for duns in set(batch) - known:
            for rows in tables(duns):
                removal.counts[str(rows.model._meta.verbose_name_plural)] += rows.count()
                rows.delete()
        project({}, known, bump=known)
        mend_times(sorted(known))
        project_figures(known)
        verify_words(sorted(known))
    checkpoints.remove_all()
    history_checkpoints.forget_all()
    forget_reviews()


def named(reference: str) -> Registration:
    rows = list(Registration.objects.filter(reference=reference))
    if not rows:
        raise CannotForget(f"Registration {reference} does not exist. Check the reference under “Registrations”.")
    if len(rows) > 1:
        raise CannotForget(
            f"{len(rows)} contracts have a registration {reference}. Delete one of them in the admin first."
        )
    return rows[0]
