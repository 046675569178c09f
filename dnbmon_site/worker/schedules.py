"""The jobs that django-q2 runs: one line each, installed idempotently, visible and pausable in the admin.

Nothing else is ever run by the queue: `task_serializer.py` refuses it where tasks are unpacked.
"""

from __future__ import annotations

import logging
from datetime import timedelta

from django.utils import timezone
from django.utils.translation import gettext_noop
from django_q.models import Schedule

from health.schedule_status import FOR_EVER, REFUSED
from portfolio.registrations.pull_job import PAUSED

logger = logging.getLogger(__name__)

# What is woken by what happens anyway: the schedule only catches what was missed, and a worker that starts does too.
CATCH_UP = 15
OFTEN = 5

# name, function without arguments (one schedule with bad arguments stops all others), minutes between runs
JOBS: tuple[tuple[str, str, int], ...] = (
    (gettext_noop("Pull due registrations"), "monitoring.jobs.pull_due", 1),
    (gettext_noop("Recover calls in doubt"), "monitoring.jobs.recover_due", OFTEN),
    (gettext_noop("Process received data"), "monitoring.jobs.ingest_received", CATCH_UP),
    (gettext_noop("Import delivered files"), "monitoring.jobs.import_delivered_files", OFTEN),
    (gettext_noop("Publish changes"), "monitoring.jobs.publish_read", CATCH_UP),
    (gettext_noop("Raise alerts"), "monitoring.jobs.alert_published", CATCH_UP),
    (gettext_noop("Notify users of what they follow"), "monitoring.follows.consumer.notify_all", CATCH_UP),
    (gettext_noop("Queue changes for webhooks"), "monitoring.jobs.queue_for_webhooks", CATCH_UP),
    (gettext_noop("Send messages"), "monitoring.jobs.send_due", 2),
    (gettext_noop("Prepare digests"), "monitoring.jobs.make_digests", OFTEN),
    (gettext_noop("Send reports"), "monitoring.jobs.make_reports", OFTEN),
    (gettext_noop("Update daily statistics"), "monitoring.jobs.count_days", OFTEN),
    (gettext_noop("Update counts"), "monitoring.jobs.update_all_counts", OFTEN),
    (gettext_noop("Update figures of companies"), "monitoring.jobs.update_company_figures", CATCH_UP),
    (gettext_noop("Prepare figures by month"), "monitoring.jobs.prepare_figures", 24 * 60),
    (gettext_noop("Update contract review"), "monitoring.jobs.update_contract_review", 24 * 60),
    (gettext_noop("Continue tier imports"), "monitoring.decisions.work.continue_tiers", CATCH_UP),
    (gettext_noop("Update tiers and reviews"), "monitoring.decisions.work.update_reviews", 24 * 60),
    (gettext_noop("Check the last day by replay"), "monitoring.jobs.audit_due", 60),
    (gettext_noop("Update entitlements"), "portfolio.entitlements.fetch.update_entitlements", 24 * 60),
    (gettext_noop("Find new registrations"), "portfolio.jobs.discover", 60),
    (gettext_noop("Record evidence of monitoring"), "monitoring.consumers.membership.gather_all", CATCH_UP),
    (gettext_noop("Sync with D&B"), "portfolio.jobs.sync_due", 1),
    (gettext_noop("Check lists with D&B"), "portfolio.jobs.check_lists", OFTEN),
    (gettext_noop("Find differences from D&B's lists"), "portfolio.jobs.reconcile_all", 60),
    (gettext_noop("Continue imports"), "portfolio.jobs.work_on_imports", CATCH_UP),
    (gettext_noop("Find candidates at D&B"), "portfolio.jobs.continue_searches", OFTEN),
    (gettext_noop("Update exposure"), "portfolio.exposure.work.continue_work", OFTEN),
    (gettext_noop("Continue data fetches"), "monitoring.data_fetch.work.continue_fetches", OFTEN),
    (gettext_noop("Continue family trees"), "monitoring.family_tree.work.run_trees", OFTEN),
    (gettext_noop("Refresh upward chains"), "monitoring.family_tree.refresh.refresh_chains", 24 * 60),
    (gettext_noop("Create proposals"), "monitoring.jobs.make_proposals", CATCH_UP),
    (gettext_noop("Update contract years"), "portfolio.jobs.look_after_years", 60),
    (gettext_noop("Fetch reference data"), "portfolio.reference_data.fetch.fetch_due", CATCH_UP),
    (gettext_noop("Create exports"), "portfolio.jobs.write_exports", CATCH_UP),
    (gettext_noop("Create scheduled exports"), "monitoring.exports.scheduled.write_due", OFTEN),
    (gettext_noop("Delete old idempotency keys"), "dnbmon_site.accounts.idempotency.forget_old", 60),
    (gettext_noop("Delete old records"), "dnbmon_site.operations.purge.forget_old_records", 24 * 60),
    (gettext_noop("Delete old login records"), "dnbmon_site.accounts.jobs.forget_old_sign_ins", 60),
    (gettext_noop("Retry stopped registrations"), "monitoring.jobs.probe_stopped", 10),
    (gettext_noop("Apply retention"), "monitoring.retention.retention.apply_retention", 60),
    (gettext_noop("Refresh database statistics"), "dnbmon_site.operations.analyze.refresh_statistics", 60),
    (gettext_noop("Verify stored data"), "monitoring.jobs.verify_stored_data", 24 * 60),
    (gettext_noop("Back up the database"), "dnbmon_site.operations.backup.daily.back_up_if_due", 60),
    (gettext_noop("Check health"), "health.jobs.look_after", 1),
    (gettext_noop("Delete finished jobs"), "health.jobs.forget_finished", 60),
    (gettext_noop("Disable unknown schedules"), "dnbmon_site.worker.schedules.refuse_foreign", OFTEN),
)
SCHEDULED = frozenset(function for _, function, _ in JOBS)
# Put into the queue when somebody or something asks for them.
ON_DEMAND = frozenset(
    {
        "health.jobs.beat",
        "monitoring.jobs.process_published",
        "monitoring.jobs.pull_now",
        "monitoring.data_fetch.work.run_one",
        "monitoring.decisions.work.work_on_tiers",
        "portfolio.jobs.work_on_import",
        "portfolio.exposure.work.read_upload",
        "portfolio.exposure.work.refresh",
        "portfolio.jobs.write_export",
        "portfolio.jobs.find_candidates",
        "portfolio.jobs.sync_now",
        "portfolio.jobs.sync_requested",
        "monitoring.jobs.propose_for_adopted",
        "core.cached_counts.update_counts",
    }
)
ALL_JOBS = SCHEDULED | ON_DEMAND
# Where jobs stood in versions before: what these have put into the queue is done all the same.
RENAMED = {
    "monitoring.alert_jobs.send_due": "monitoring.jobs.send_due",
    "monitoring.alert_jobs.alert_published": "monitoring.jobs.alert_published",
    "monitoring.alert_jobs.queue_for_webhooks": "monitoring.jobs.queue_for_webhooks",
    "monitoring.alert_jobs.make_digests": "monitoring.jobs.make_digests",
    "monitoring.alert_jobs.make_reports": "monitoring.jobs.make_reports",
    "monitoring.evidence.gather_all": "monitoring.consumers.membership.gather_all",
    "portfolio.sync_jobs.sync_due": "portfolio.jobs.sync_due",
    "portfolio.sync_jobs.check_lists": "portfolio.jobs.check_lists",
    "portfolio.sync_jobs.reconcile_all": "portfolio.jobs.reconcile_all",
    "portfolio.sync_jobs.sync_now": "portfolio.jobs.sync_now",
    "portfolio.sync_jobs.sync_wanted": "portfolio.jobs.sync_requested",
    "portfolio.importing.jobs.work_on_import": "portfolio.jobs.work_on_import",
    "portfolio.importing.jobs.work_on_imports": "portfolio.jobs.work_on_imports",
    "monitoring.scheduled_export.write_due": "monitoring.exports.scheduled.write_due",
    "dnbmon_site.idempotency.forget_old": "dnbmon_site.accounts.idempotency.forget_old",
    "dnbmon_site.old_records.forget_old_records": "dnbmon_site.operations.purge.forget_old_records",
    "dnbmon_site.forgetting.forget_old_sign_ins": "dnbmon_site.accounts.jobs.forget_old_sign_ins",
    "monitoring.retention.keep_what_is_kept": "monitoring.retention.retention.apply_retention",
    "dnbmon_site.statistics.refresh_statistics": "dnbmon_site.operations.analyze.refresh_statistics",
    "dnbmon_site.backup.jobs.back_up_if_due": "dnbmon_site.operations.backup.daily.back_up_if_due",
    "dnbmon_site.schedules.refuse_foreign": "dnbmon_site.worker.schedules.refuse_foreign",
    "portfolio.tallying.tally": "core.cached_counts.update_counts",
    "monitoring.jobs.repair_due": "monitoring.jobs.recover_due",
    "monitoring.jobs.count_standing": "monitoring.jobs.update_all_counts",
    "monitoring.retention.retention.keep_what_is_kept": "monitoring.retention.retention.apply_retention",
    "portfolio.jobs.sync_wanted": "portfolio.jobs.sync_requested",
    "core.cached_counts.tally": "core.cached_counts.update_counts",
}
# Names of jobs that are no more: their rows would go on running.
GONE = ("Show that jobs run",)
# What jobs were called in versions before: their rows are renamed, so that a paused job stays paused.
NAMES_BEFORE = {
    "Pull what is due": "Pull due registrations",
    "Repair what is in doubt": "Recover calls in doubt",
    "Read what was received": "Process received data",
    "Publish what was read": "Publish changes",
    "Put changes into the queue of webhooks": "Queue changes for webhooks",
    "Send what is due": "Send messages",
    "Make digests": "Prepare digests",
    "Count the days": "Update daily statistics",
    "Count what stands": "Update counts",
    "Audit the last day by replay": "Check the last day by replay",
    "Look for new registrations": "Find new registrations",
    "Take notifications as evidence": "Record evidence of monitoring",
    "Ask D&B about lists": "Check lists with D&B",
    "Look for differences from D&B's lists": "Find differences from D&B's lists",
    "Go on with imports": "Continue imports",
    "Make proposals": "Create proposals",
    "Look after the contract year": "Update contract years",
    "Write exports": "Create exports",
    "Write scheduled exports": "Create scheduled exports",
    "Forget old words of repeated writes": "Delete old idempotency keys",
    "Forget old records": "Delete old records",
    "Forget old sign-ins": "Delete old login records",
    "Try stopped registrations again": "Retry stopped registrations",
    "Remove what is kept no longer": "Apply retention",
    "Refresh the database's statistics": "Refresh database statistics",
    "Look after health": "Check health",
    "Forget finished tasks": "Delete finished jobs",
    "Delete finished tasks": "Delete finished jobs",
    "Switch off schedules of anything else": "Disable unknown schedules",
}
# What a schedule may not have: they would choose what else is run, and where.
EXTRAS: dict[str, None] = dict.fromkeys(("args", "kwargs", "hook", "cluster", "intended_date_kwarg"))
LONG_AGO = timedelta(days=1)


def install_schedules() -> None:
    """Make the schedules what the table says; what people have paused stays paused."""
    Schedule.objects.filter(name__in=GONE).delete()
    rename_older()
    for name, function, minutes in JOBS:
        values = {"func": function, "minutes": minutes, "schedule_type": Schedule.MINUTES, **EXTRAS}
        if not Schedule.objects.filter(name=name).update(**values):
            Schedule.objects.create(name=name, repeats=FOR_EVER, **values)
    refuse_foreign()


def rename_older() -> None:
    """Rows that still have a job's name of before; where the new name is there already, the old row goes."""
    rows = list(Schedule.objects.filter(name__in=NAMES_BEFORE))
    there = set(Schedule.objects.filter(name__in=NAMES_BEFORE.values()).values_list("name", flat=True))
    for row in rows:
        name = NAMES_BEFORE[row.name]
        if name in there:
            row.delete()
        else:
            Schedule.objects.filter(pk=row.pk).update(name=name)
            there.add(name)


def refuse_foreign() -> int:
    """Switch off schedules of anything but the table's jobs, and keep them; returns how many were new."""
    foreign = [row for row in Schedule.objects.all() if row.cluster != REFUSED and not is_own(row)]
    for row in foreign:
        logger.error(
            "schedule “%s” names “%s”, which is not a job of D&B Monitoring: it is disabled", row.name, row.func
        )
        Schedule.objects.filter(pk=row.pk).update(cluster=REFUSED, repeats=PAUSED)
    # django-q2 counts every run that was missed, one by one, while everything waits.
    now = timezone.now()
    Schedule.objects.filter(next_run__lt=now - LONG_AGO).update(next_run=now)
    return len(foreign)


def is_own(row: Schedule) -> bool:
    is_plain = not any(getattr(row, name) for name in EXTRAS)
    return is_plain and row.func in SCHEDULED and row.schedule_type != Schedule.CRON


def make_schedules_anew() -> None:
    """From the table alone, whatever stood there; of that only which jobs people had paused is kept."""
    rename_older()
    names = {name for name, _, _ in JOBS}
    is_paused = names & set(Schedule.objects.filter(repeats=PAUSED).values_list("name", flat=True))
    Schedule.objects.all().delete()
    install_schedules()
    Schedule.objects.filter(name__in=is_paused).update(repeats=PAUSED)
