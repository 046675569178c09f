"""What each action of the audit log is called on pages and in exports; the stored keys stay as they were written."""

from __future__ import annotations

import re

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

LABELS: dict[str, str | Promise] = {
    "call_budget.changed": _("Call budget changed"),
    "entitlements.fetched": _("Entitlements updated"),
    "add note": _("Note added"),
    "remove note": _("Note removed"),
    "adopt": _("D&B's list adopted"),
    "check": _("Companies checked with D&B"),
    "check_cancel": _("Check with D&B cancelled"),
    "import list": _("D&B's list imported"),
    "exceptions": _("Exceptions file imported"),
    "request": _("Monitoring requested"),
    "withdraw": _("Monitoring request withdrawn"),
    "stop": _("Monitoring stopped"),
    "send_again": _("Additions resent to D&B"),
    "send_add": _("Additions sent to D&B"),
    "send_remove": _("Removals sent to D&B"),
    "sync": _("Sync started"),
    "sync_pause": _("Sync paused"),
    "sync_resume": _("Sync resumed"),
    "sync_cancel": _("Sync cancelled"),
    "suppress": _("Notifications suppressed"),
    "activate": _("Notifications activated"),
    "plan removal": _("Removal scheduled"),
    "cancel planned removal": _("Scheduled removal cancelled"),
    "accept proposal": _("Proposal accepted"),
    "dismiss proposal": _("Proposal dismissed"),
    "pull": _("Pull started"),
    "registration.pull-now": _("Pull started"),
    "registration.start": _("Registration started"),
    "registration.pause": _("Registration paused"),
    "registration.resume-reading": _("Processing resumed"),
    "registration.gap-dealt-with": _("Data gap resolved"),
    "import.upload": _("Import uploaded"),
    "import.sheet": _("Import worksheet chosen"),
    "import.zeros": _("Leading zeros added"),
    "import.confirm": _("Import confirmed"),
    "import.approve": _("Import approved"),
    "import.cancel": _("Import cancelled"),
    "import.undo": _("Import undone"),
    "import.undo_asked": _("Import undo requested"),
    "import.undo_cancelled": _("Import undo cancelled"),
    "exposure.upload": _("Exposure uploaded"),
    "exposure.mark": _("Decimal separator chosen"),
    "exposure.sheet": _("Exposure worksheet chosen"),
    "exposure.apply": _("Exposure applied"),
    "exposure.cancel": _("Exposure import cancelled"),
    "exposure.undo": _("Exposure import undone"),
    "exposure.set": _("Amounts saved"),
    "exposure.remove": _("Amount removed"),
    "exposure.rate": _("Exchange rate saved"),
    "exposure.rate_removed": _("Exchange rate deleted"),
    "reference_data.fetch": _("Reference data requested from D&B"),
    "exposure.currency": _("Reporting currency changed"),
    "reference.set": _("External references saved"),
    "reference.remove": _("External reference removed"),
    "alert.reopen": _("Alert reopened"),
    "rule.made": _("Alert rule created"),
    "rule.changed": _("Alert rule changed"),
    "rule.on": _("Alert rule enabled"),
    "rule.off": _("Alert rule disabled"),
    "rule.reset": _("Alert rule reset to default"),
    "channel.made": _("Channel created"),
    "channel.changed": _("Channel changed"),
    "channel.test": _("Channel tested"),
    "channel.ask": _("Email confirmation requested"),
    "channel.confirm": _("Email address confirmed"),
    "message.again": _("Message resent"),
    "webhook.create": _("Webhook created"),
    "webhook.on": _("Webhook enabled"),
    "webhook.off": _("Webhook disabled"),
    "webhook.rotate": _("Webhook secret rotated"),
    "webhook.resend": _("Webhook messages resent"),
    "file server.made": _("File server created"),
    "file server.changed": _("File server changed"),
    "file server.confirm": _("File server confirmed"),
    "file server.delete": _("File server deleted"),
    "export": _("Export"),
    "save filter": _("Filter saved"),
    "change filter": _("Filter changed"),
    "delete filter": _("Filter deleted"),
    "send report": _("Report sent"),
    "apikey.added": _("API key created"),
    "apikey.changed": _("API key changed"),
    "apikey.deleted": _("API key deleted"),
    "apikey.rotated": _("API key rotated"),
    "apikey.old_ended": _("Old API key ended"),
    "apikey.revoked": _("API key revoked"),
    "group.added": _("Role created"),
    "group.changed": _("Role changed"),
    "group.deleted": _("Role deleted"),
    "usergroup.added": _("Role created"),
    "usergroup.changed": _("Role changed"),
    "usergroup.deleted": _("Role deleted"),
    "user.added": _("User created"),
    "user.changed": _("User changed"),
    "user.deleted": _("User deleted"),
    "user.invited": _("User invited"),
    "person.added": _("User created by the identity provider"),
    "person.linked": _("User linked to the identity provider"),
    "person.roles": _("Roles changed by the identity provider"),
    "edit preferences": _("Preferences changed"),
    "signin.unlocked": _("Login unblocked"),
    "schedule.pause": _("Job paused"),
    "schedule.resume": _("Job resumed"),
    "schedule.run": _("Job started"),
    "task.rerun": _("Failed job rerun"),
    "unreadable.try-again": _("Parsing error retried"),
    "unreadable.set-aside": _("Parsing error dismissed"),
    "incident.note": _("Incident note added"),
    "backup": _("Backup created"),
    "restore": _("Backup restored"),
    "forget": _("Data erased"),
    "retention": _("Retention applied"),
    "verify": _("Stored data corrected"),
}
OBJECTS: dict[str, str | Promise] = {
    "contract": _("Contract"),
    "element": _("Data element"),
    "registration": _("Registration"),
    "report schedule": _("Report schedule"),
    "scheduled export": _("Scheduled export"),
    "subject": _("Monitored company"),
    "Queued task": _("Queued task"),
    "Scheduled task": _("Schedule"),
}
THINGS: dict[str, str | Promise] = {
    "alertrule": _("Alert rule"),
    "apikey": _("API key"),
    "backup": _("Backup"),
    "data": _("Stored data"),
    "callbudget": _("Call budget"),
    "deadletter": _("Parsing error"),
    "exchangerate": _("Exchange rate"),
    "exposureimport": _("Exposure import"),
    "exposuresettings": _("Exposure settings"),
    "externalreference": _("External reference"),
    "fileserver": _("File server"),
    "mailaddress": _("Email address"),
    "ormq": _("Queued task"),
    "outboxmessage": _("Message"),
    "reportschedule": _("Report schedule"),
    "savedfilter": _("Saved filter"),
    "scheduledexport": _("Scheduled export"),
    "subject": _("Monitored company"),
    "subjectimport": _("Import"),
    "syncrun": _("Sync"),
    "usergroup": _("Role"),
    "webhookendpoint": _("Webhook"),
}
# Keys such as “edit contract” and “change report schedule”: a verb, then the object.
DONE: dict[str, str | Promise] = {
    "add": _("%(object)s created"),
    "edit": _("%(object)s changed"),
    "change": _("%(object)s changed"),
    "delete": _("%(object)s deleted"),
}


def action_label(key: str) -> str:
    """The name of an action; an unknown key is shown in readable form."""
    if label := LABELS.get(key):
        return str(label)
    verb, _space, thing = key.partition(" ")
    if verb in DONE and thing:
        return str(DONE[verb]) % {"object": OBJECTS.get(thing) or _readable(thing)}
    return _readable(key)


def object_label(what: str) -> str:
    """The kind of object of an entry, by the name of its model."""
    label = THINGS.get(what)
    return str(label) if label else _readable(what)


def _readable(key: str) -> str:
    text = re.sub(r"[._-]+", " ", key).strip()
    return text[:1].upper() + text[1:]
