"""What a job that ended has done, as people read it: most jobs return how much that was."""

from __future__ import annotations

from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext, ngettext_lazy

from core.text import counted
from portfolio.models import ImportState

IMPORT_JOBS = (
    *("portfolio.jobs.work_on_import", "portfolio.exposure.work.read_upload"),
    "monitoring.decisions.work.work_on_tiers",
)
# What the backup's job returns where it has nothing to do.
NO_BACKUP_FOLDER = "BACKUP_FOLDER is not set, so no backup is made."
PUBLICATIONS: Promise = ngettext_lazy(
    "%(count)s event feed entry processed", "%(count)s event feed entries processed", "number"
)
COUNTS: Promise = ngettext_lazy("%(count)s count updated", "%(count)s counts updated", "number")
RECORDS: Promise = ngettext_lazy("%(count)s record deleted", "%(count)s records deleted", "number")
CHECKED: Promise = ngettext_lazy("%(count)s registration checked", "%(count)s registrations checked", "number")
PROCESSED: Promise = ngettext_lazy("%(count)s processed", "%(count)s processed", "number")
# By the job's function, as in the table of schedules.
DONE: dict[str, Promise] = {
    "monitoring.jobs.pull_due": ngettext_lazy(
        "%(count)s registration pulled", "%(count)s registrations pulled", "number"
    ),
    "monitoring.jobs.recover_due": CHECKED,
    "monitoring.jobs.audit_due": CHECKED,
    "monitoring.jobs.probe_stopped": ngettext_lazy(
        "%(count)s registration resumed", "%(count)s registrations resumed", "number"
    ),
    "monitoring.jobs.ingest_received": ngettext_lazy(
        "%(count)s delivery processed", "%(count)s deliveries processed", "number"
    ),
    "monitoring.jobs.import_delivered_files": ngettext_lazy(
        "%(count)s file imported or refused", "%(count)s files imported or refused", "number"
    ),
    "monitoring.jobs.publish_read": ngettext_lazy(
        "%(count)s delivery published", "%(count)s deliveries published", "number"
    ),
    "monitoring.jobs.queue_for_webhooks": ngettext_lazy(
        "%(count)s message queued", "%(count)s messages queued", "number"
    ),
    "monitoring.jobs.alert_published": PUBLICATIONS,
    "monitoring.follows.consumer.notify_all": PUBLICATIONS,
    "monitoring.jobs.make_proposals": PUBLICATIONS,
    "monitoring.consumers.membership.gather_all": PUBLICATIONS,
    "monitoring.jobs.update_company_figures": PUBLICATIONS,
    "monitoring.jobs.prepare_figures": ngettext_lazy("%(count)s month prepared", "%(count)s months prepared", "number"),
    "monitoring.decisions.work.update_reviews": ngettext_lazy(
        "%(count)s company updated", "%(count)s companies updated", "number"
    ),
    "monitoring.decisions.work.continue_tiers": ngettext_lazy(
        "%(count)s import continued", "%(count)s imports continued", "number"
    ),
    "monitoring.jobs.update_contract_review": ngettext_lazy(
        "%(count)s company listed", "%(count)s companies listed", "number"
    ),
    "monitoring.jobs.send_due": ngettext_lazy("%(count)s message sent", "%(count)s messages sent", "number"),
    "monitoring.jobs.make_digests": ngettext_lazy("%(count)s digest prepared", "%(count)s digests prepared", "number"),
    "monitoring.jobs.make_reports": ngettext_lazy("%(count)s report queued", "%(count)s reports queued", "number"),
    "monitoring.jobs.count_days": ngettext_lazy("%(count)s day updated", "%(count)s days updated", "number"),
    "monitoring.jobs.update_all_counts": COUNTS,
    "core.cached_counts.update_counts": COUNTS,
    "monitoring.exports.scheduled.write_due": ngettext_lazy(
        "%(count)s file created", "%(count)s files created", "number"
    ),
    "portfolio.jobs.write_exports": ngettext_lazy("%(count)s file created", "%(count)s files created", "number"),
    "monitoring.data_fetch.work.continue_fetches": PROCESSED,
    "monitoring.family_tree.work.run_trees": PROCESSED,
    "monitoring.family_tree.refresh.refresh_chains": ngettext_lazy(
        "%(count)s upward chain requested", "%(count)s upward chains requested", "number"
    ),
    "portfolio.jobs.discover": ngettext_lazy(
        "%(count)s new registration found", "%(count)s new registrations found", "number"
    ),
    "portfolio.entitlements.fetch.update_entitlements": ngettext_lazy(
        "%(count)s contract updated", "%(count)s contracts updated", "number"
    ),
    "portfolio.jobs.sync_due": ngettext_lazy(
        "%(count)s registration synced", "%(count)s registrations synced", "number"
    ),
    "portfolio.jobs.check_lists": ngettext_lazy("%(count)s list checked", "%(count)s lists checked", "number"),
    "portfolio.jobs.reconcile_all": ngettext_lazy("%(count)s notice created", "%(count)s notices created", "number"),
    "portfolio.exposure.work.continue_work": ngettext_lazy(
        "%(count)s company shows another amount", "%(count)s companies show other amounts", "number"
    ),
    "portfolio.reference_data.fetch.fetch_due": ngettext_lazy(
        "%(count)s list fetched", "%(count)s lists fetched", "number"
    ),
    "portfolio.jobs.work_on_imports": ngettext_lazy(
        "%(count)s import continued", "%(count)s imports continued", "number"
    ),
    "portfolio.jobs.continue_searches": ngettext_lazy(
        "%(count)s search for an import continued", "%(count)s searches for imports continued", "number"
    ),
    "portfolio.jobs.look_after_years": ngettext_lazy(
        "%(count)s scheduled removal carried out", "%(count)s scheduled removals carried out", "number"
    ),
    "dnbmon_site.accounts.idempotency.forget_old": RECORDS,
    "dnbmon_site.accounts.jobs.forget_old_sign_ins": RECORDS,
    "health.jobs.forget_finished": RECORDS,
    "dnbmon_site.worker.schedules.refuse_foreign": ngettext_lazy(
        "%(count)s schedule disabled", "%(count)s schedules disabled", "number"
    ),
}


def result_text(function: str, result: Any) -> str:
    if result is None or result == "" or result is True:
        return gettext("Done")
    if not result:
        return gettext("Nothing to do")
    if isinstance(result, int):
        return str(DONE.get(function, PROCESSED) % {"count": counted(result), "number": result})
    if function in IMPORT_JOBS:
        known = result in ImportState.values
        return str(ImportState(result).label) if known else gettext("Not finished. Tried again automatically")
    return str(result)


def error_text(result: Any) -> str:
    """What went wrong, without where in the program."""
    return str(result).partition(" : Traceback ")[0]
