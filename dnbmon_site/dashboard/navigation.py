"""The menu: one entry per task, in groups, for those whose task it is. Siblings are tabs of one entry.

Menu, tabs, breadcrumb, title and search take their words from this table, so that a thing has one name.
"""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from dnbmon_site.dashboard.menu_entries import Entry, Group, Page

GROUPS = (
    Group(
        "",
        (
            Entry(
                _("Overview"),
                "home",
                (Page(_("Overview"), name="index", words=_("home start get started guide setup dashboard")),),
            ),
            Entry(
                _("Alerts"),
                "notification_important",
                (
                    Page(_("Mine"), "monitoring.alert", query="assignee=me", waiting="own_alerts", heading=_("Alerts")),
                    Page(_("Unassigned"), "monitoring.alert", query="assignee=nobody", heading=_("Alerts")),
                    Page(_("All"), "monitoring.alert", heading=_("Alerts"), words=_("inbox warnings")),
                    Page(_("Overdue"), "monitoring.alert", query="due=overdue", heading=_("Alerts")),
                    Page(_("Snoozed"), "monitoring.alert", query="state=snoozed", heading=_("Alerts")),
                ),
            ),
            Entry(
                _("Companies"),
                "domain",
                (
                    Page(_("Companies"), "portfolio.company", below="/portfolio/group/"),
                    Page(
                        _("Reviews"),
                        "monitoring.duereview",
                        waiting="reviews",
                        words=_("due overdue interval tier critical important"),
                    ),
                    Page(
                        _("Decisions"),
                        "monitoring.decision",
                        waiting="decisions",
                        words=_("approve limit hold stop confirm second person"),
                    ),
                    Page(_("Completed reviews"), "monitoring.review"),
                    Page(_("Tier rules"), "monitoring.tierrule", words=_("critical important normal")),
                    Page(_("Tier imports"), "monitoring.tierimport", words=_("upload file critical important")),
                    Page(_("Review settings"), "monitoring.reviewsettings", words=_("interval days second person")),
                    Page(_("Saved filters"), "core.savedfilter"),
                ),
            ),
            Entry(
                _("Changes"),
                "bolt",
                (
                    Page(_("Changes"), "monitoring.change", words=_("updates history timeline")),
                    Page(_("Notifications"), "monitoring.notification"),
                ),
            ),
            Entry(
                _("Reports"),
                "summarize",
                (
                    Page(_("Report"), "monitoring.reportschedule", name="report"),
                    Page(_("Schedules"), "monitoring.reportschedule", heading=_("Report schedules")),
                ),
            ),
        ),
    ),
    Group(
        _("Portfolio"),
        (
            Entry(
                _("Risk"),
                "donut_small",
                (
                    Page(
                        _("Risk"),
                        "portfolio.company",
                        address="/portfolio/risk/",
                        words=_("portfolio exposure matrix scores classes concentration movement expected loss"),
                    ),
                ),
            ),
            Entry(
                _("Registrations"),
                "radar",
                (
                    Page(
                        _("Registrations"),
                        "portfolio.registration",
                        words=_("pause resume start stop pull adopt frequency suppress"),
                    ),
                    Page(_("Syncs"), "portfolio.syncrun", words=_("additions removals send to D&B")),
                ),
                ("portfolio.change_registration", "portfolio.change_syncrun"),
            ),
            Entry(
                _("Monitored companies"),
                "checklist",
                (
                    Page(
                        _("Companies"),
                        "portfolio.subject",
                        heading=_("Monitored companies"),
                        words=_("subjects portfolio requested differences"),
                    ),
                    Page(
                        _("Proposals"),
                        "portfolio.proposal",
                        waiting="proposals",
                        words=_("suggestions merger transfer"),
                    ),
                    Page(
                        _("Data fetches"),
                        "monitoring.datafetch",
                        words=_("refresh check data blocks baseline data gap close difference"),
                    ),
                    Page(
                        _("Family trees"),
                        "monitoring.familytree",
                        words=_("upward chain owners global ultimate hierarchy subsidiaries group"),
                    ),
                    Page(
                        _("Scheduled removals"),
                        "portfolio.subject",
                        query="planned=yes",
                        words=_("planned remove withdraw cancel"),
                    ),
                ),
            ),
            Entry(
                _("Imports"),
                "upload_file",
                (
                    Page(
                        _("Imports"),
                        "portfolio.subjectimport",
                        waiting="imports",
                        words=_("second approval approve confirm upload undo file"),
                    ),
                    Page(
                        _("Company searches"),
                        "portfolio.companysearch",
                        words=_("find match candidates names choose"),
                    ),
                ),
                ("portfolio.add_subjectimport", "portfolio.approve_import", "portfolio.change_registration"),
            ),
            Entry(
                _("Exposure"),
                "payments",
                (
                    Page(
                        _("Exposure"),
                        "portfolio.exposureimport",
                        name="overview",
                        words=_("money amounts receivables orders guarantees at stake"),
                    ),
                    Page(_("Imports"), "portfolio.exposureimport", heading=_("Exposure imports"), words=_("upload")),
                    Page(_("Exchange rates"), "portfolio.exchangerate", words=_("currency reporting currency")),
                ),
            ),
            Entry(
                _("Contract"),
                "event_repeat",
                (
                    Page(
                        _("Contract year"), "portfolio.contract", name="year", words=_("billed billing costs renewal")
                    ),
                    Page(
                        _("Review"),
                        "portfolio.contract",
                        address="/portfolio/review/",
                        heading=_("Contract review"),
                        words=_("benefit value savings worth leave out"),
                    ),
                    Page(
                        _("Settings"),
                        "portfolio.contract",
                        heading=_("Contract settings"),
                        words=_("contracts second approval addition limit anniversary"),
                        has_tabs_below=True,
                    ),
                    Page(
                        _("Entitlements"),
                        "portfolio.entitlements",
                        words=_("products data blocks levels key contract end expiry"),
                    ),
                    Page(
                        _("Call budgets"),
                        "portfolio.callbudget",
                        words=_("limit cost calls match data blocks"),
                        has_tabs_below=True,
                    ),
                    Page(_("Calls"), "portfolio.dnbcall", heading=_("Calls to D&B"), words=_("ledger cost")),
                    Page(_("Reference data"), "portfolio.referencelist", words=_("codes words descriptions languages")),
                    Page(_("Portfolio notices"), "core.notice"),
                ),
            ),
        ),
    ),
    Group(
        _("Automation"),
        (
            Entry(
                _("Alert rules"),
                "rule_settings",
                (
                    Page(_("Rules"), "monitoring.alertrule", heading=_("Alert rules")),
                    Page(_("Data elements"), "monitoring.element", words=_("severity noise mute fields")),
                    Page(_("Response times"), "monitoring.responsetime", words=_("due overdue escalate second person")),
                ),
                ("monitoring.change_alertrule",),
            ),
            Entry(
                _("Channels"),
                "send",
                (Page(_("Channels"), "monitoring.channel", words=_("email teams slack chat recipients")),),
            ),
            Entry(
                _("Exports"),
                "download",
                (
                    Page(_("My files"), "core.export", heading=_("Exports")),
                    Page(_("Scheduled exports"), "monitoring.scheduledexport"),
                    Page(_("File servers"), "monitoring.fileserver", words=_("sftp")),
                ),
            ),
            Entry(
                _("Integrations"),
                "webhook",
                (
                    Page(_("API keys"), "accounts.apikey", words=_("token access")),
                    Page(_("Webhooks"), "monitoring.webhookendpoint"),
                    Page(
                        _("Outgoing messages"),
                        "monitoring.outboxmessage",
                        words=_("undelivered failed not delivered sent retry email server smtp"),
                    ),
                    Page(_("API docs"), "monitoring.webhookendpoint", address="/api/docs/"),
                ),
                ("monitoring.change_webhookendpoint", "accounts.view_apikey"),
            ),
        ),
    ),
    Group(
        _("System"),
        (
            Entry(
                _("Health"),
                "monitor_heart",
                (
                    Page(
                        _("Status"),
                        "health.incident",
                        address="/health/",
                        heading=_("Health"),
                        words=_("checks backup email server smtp disk worker problem error"),
                    ),
                    Page(_("Incidents"), "health.incident", words=_("outage failure")),
                    Page(_("Schedules"), "django_q.schedule", words=_("jobs pause resume run")),
                    Page(_("Queue"), "django_q.ormq"),
                    Page(_("Failed jobs"), "django_q.failure"),
                    Page(_("Finished jobs"), "django_q.success"),
                ),
                ("health.view_incident",),
            ),
            Entry(
                _("Data pipeline"),
                "inbox",
                (
                    Page(_("Ingestion log"), "monitoring.delivery", words=_("deliveries calls in doubt pulls files")),
                    Page(
                        _("Delivered files"),
                        "monitoring.deliveredfile",
                        words=_("files upload seeds notifications header exceptions folder sftp"),
                    ),
                    Page(_("Parsing errors"), "monitoring.deadletter"),
                    Page(_("Replays"), "monitoring.replaypass", words=_("recover recovery data gap")),
                    Page(_("Event feed log"), "monitoring.publication"),
                    Page(_("Daily statistics"), "monitoring.dailystat"),
                ),
                ("monitoring.change_deadletter",),
            ),
            Entry(
                _("Audit log"),
                "history_edu",
                (
                    Page(_("Audit log"), "core.auditentry", words=_("history who did what changed settings")),
                    Page(_("Login history"), "axes.accesslog", words=_("sign in failed login")),
                ),
            ),
            Entry(
                _("Users"),
                "group",
                (
                    Page(_("Users"), "accounts.user"),
                    Page(_("Roles"), "auth.group", words=_("permissions rights")),
                    Page(
                        _("Business units"),
                        "core.businessunit",
                        words=_("visibility access limit registrations departments teams"),
                    ),
                    Page(
                        _("Blocked logins"),
                        "axes.accessattempt",
                        words=_("failed blocked unblock locked unlock lockout sign in"),
                    ),
                ),
                ("accounts.view_user",),
            ),
        ),
    ),
)
