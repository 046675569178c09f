"""Permissions: six roles, made equal to this table at every migration. `docs/use/roles.md` explains it to users.

Roles of one's own can be made beside these under other names; they are left alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from django.apps import AppConfig, apps
from django.contrib.auth.models import Group, Permission
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

VIEWED = ("core", "portfolio", "monitoring", "health")
VIEWER = "Viewer"
ANALYST = "Analyst"
MANAGER = "Portfolio manager"
APPROVER = "Approver"
OPERATOR = "Operator"
ADMINISTRATOR = "Administrator"

# Machinery: tokens, rate limits, bytes, offsets. No page shows them.
HIDDEN = (
    *("accesstoken", "ratelimitslot", "blob", "consumeroffset", "lease", "clock", "idempotencykey"),
    *("heartbeat", "probe", "sample"),
)
# Addresses and secrets, for those who manage them.
HELD = (
    *("channel", "webhookendpoint", "fileserver", "outboxmessage", "sendattempt", "apikeyusage"),
    *("incident", "incidentnote", "businessunit"),
)
# Seen only by roles that name it below: your own money.
NAMED = ("portfolio.view_exposure",)

# What a role may do beside viewing: "app.model" for all permissions on its rows, or one permission by name. What does
# not exist is passed by.
RIGHTS: Mapping[str, tuple[str, ...]] = {
    VIEWER: (),
    ANALYST: (
        "core.share_savedfilter",
        "monitoring.alertrule",
        "monitoring.acknowledge_alert",
        "monitoring.decide_company",
        "monitoring.change_element",
        "monitoring.scheduledexport",
        "monitoring.view_channel",
        "monitoring.view_outboxmessage",
        "portfolio.add_companynote",
        "portfolio.view_exposure",
    ),
    MANAGER: (
        "core.share_savedfilter",
        "portfolio.add_companynote",
        "portfolio.add_subjectimport",
        "portfolio.search_company",
        "portfolio.change_subjectimport",
        "portfolio.confirm_import",
        "portfolio.change_subject",
        "portfolio.change_syncrun",
        "portfolio.decide_proposal",
        "portfolio.view_exposure",
        "portfolio.change_exposure",
        "monitoring.reportschedule",
        "monitoring.request_datafetch",
        "monitoring.change_tier",
        "monitoring.tierrule",
        "monitoring.request_familytree",
    ),
    APPROVER: ("portfolio.approve_import", "monitoring.confirm_decision"),
    OPERATOR: (
        "core.share_savedfilter",
        "portfolio.pull_registration",
        "portfolio.change_registration",
        "portfolio.fetch_referencelist",
        "monitoring.change_deadletter",
        "monitoring.request_datafetch",
        "monitoring.request_familytree",
        "monitoring.add_deliveredfile",
        "monitoring.change_deliveredfile",
        "monitoring.channel",
        "monitoring.webhookendpoint",
        "monitoring.fileserver",
        "monitoring.view_outboxmessage",
        "monitoring.change_outboxmessage",
        "monitoring.view_sendattempt",
        "health.view_incident",
        "health.change_incident",
        "health.view_incidentnote",
        "django_q.view_schedule",
        "django_q.change_schedule",
        "django_q.view_success",
        "django_q.view_failure",
        "django_q.view_ormq",
        "django_q.delete_ormq",
    ),
}
# What users read where roles are selected.
PURPOSES: Mapping[str, str | Promise] = {
    VIEWER: _("views companies, changes, alerts and reports, and changes nothing"),
    ANALYST: _("works on alerts, edits alert rules, decides on companies and reviews them"),
    MANAGER: _("imports lists, adds and removes companies, decides on proposals and sets tiers"),
    APPROVER: _("gives the second approval above the limits, and confirms decisions on companies"),
    OPERATOR: _("pulls registrations, fixes errors, and manages channels, webhooks and file servers"),
    ADMINISTRATOR: _("has all permissions, including users, roles, API keys and contracts"),
}
ADMINISTERED = ("core", "portfolio", "monitoring", "health", "accounts", "auth", "axes", "django_q")


def install_roles(sender: Any = None, **kwargs: Any) -> None:
    """Make the six roles what the table says. Runs after every migration, and changes nothing the second time."""
    state = kwargs.get("apps", apps)
    if "auth" in state.all_models and (sender is None or sender is last_to_migrate()):
        known = {
            f"{app}.{name}": key
            for key, app, name in Permission.objects.values_list("pk", "content_type__app_label", "codename")
        }
        for role in ROLES:
            _install(role, {known[name] for name in rights_of(role, known)})


def last_to_migrate() -> AppConfig:
    """The app whose signal comes last: by then the permissions of all are there."""
    return [config for config in apps.get_app_configs() if config.models_module][-1]


def rights_of(role: str, known: Iterable[str]) -> set[str]:
    """The rights of a role among those that there are."""
    if role == ADMINISTRATOR:
        return {name for name in known if _is_administered(name)}
    needed = RIGHTS[role]
    return {name for name in known if _is_viewed(name) or name in needed or _model_of(name) in needed}


def _model_of(name: str) -> str:
    app, codename = name.split(".", 1)
    return f"{app}.{codename.partition('_')[2]}"


def _is_viewed(name: str) -> bool:
    app, codename = name.split(".", 1)
    is_view = app in VIEWED and codename.startswith("view_") and name not in NAMED
    return is_view and codename.removeprefix("view_") not in (*HIDDEN, *HELD)


def _is_administered(name: str) -> bool:
    app, codename = name.split(".", 1)
    return app in ADMINISTERED and codename.partition("_")[2] not in HIDDEN


def _install(role: str, needed: set[Any]) -> None:
    group, _is_new = Group.objects.get_or_create(name=role)
    known = set(group.permissions.values_list("pk", flat=True))
    if known != needed:
        group.permissions.set(needed)


ROLES = (*RIGHTS, ADMINISTRATOR)
