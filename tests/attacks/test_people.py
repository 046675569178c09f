"""Who may edit people gets no further by it: not by flags, roles, rights of roles, passwords or actions."""

import json

from tests.attacks.production import PASSWORD, Production

PREPARE = """
import json
from django.contrib.auth.models import Group, Permission
from dnbmon_site.accounts.models import User
known = [f"{{verb}}_{{noun}}" for verb in ("view", "change", "add", "delete") for noun in ("user", "group")]
helper, _ = Group.objects.get_or_create(name="People helper")
helper.permissions.set(Permission.objects.filter(codename__in=known))
other, _ = Group.objects.get_or_create(name="People greeter")
other.permissions.set(Permission.objects.filter(codename="view_user"))
person = lambda name, **more: User.objects.create_user(name, password={password!r}, is_staff=True, **more)
self, weak, boss, strong = person("helper"), person("weak"), person("boss", is_superuser=True), person("strong")
person("nobody")
self.groups.set([helper])
strong.groups.set([Group.objects.get(name="Administrator")])
print(json.dumps(dict(
    self=str(self.pk), weak=str(weak.pk), boss=str(boss.pk), strong=str(strong.pk), helper=helper.pk, other=other.pk,
    administrator=Group.objects.get(name="Administrator").pk, add_key=Permission.objects.get(codename="add_apikey").pk,
    view_user=Permission.objects.get(codename="view_user").pk), default=str))
"""
LOOK = """
from dnbmon_site.accounts.models import User
from django.contrib.auth.models import Group
for user in User.objects.filter(username__in=["helper", "weak", "boss", "strong"]).order_by("username"):
    roles = sorted(user.groups.values_list("name", flat=True))
    print(user.username, user.is_superuser, user.check_password({password!r}), roles)
roles = [Group.objects.get(name=name) for name in ("People helper", "People greeter")]
print([role.permissions.filter(codename="add_apikey").exists() for role in roles])
"""
STANDS = """boss True True []
helper False True ['People helper']
strong False True ['Administrator']
weak False True []
[False, False]"""


def test_who_edits_people_gets_no_further(production: Production) -> None:
    keys = json.loads(production.inside(PREPARE.format(password=PASSWORD)))
    helper = production.signed_in("helper")
    for who in ("self", "weak", "boss", "strong"):
        form = {"username": {"self": "helper"}.get(who, who), "timezone": "UTC", "is_active": "on", "is_staff": "on"}
        page = f"/accounts/user/{keys[who]}/"
        rise = {**form, "is_superuser": "on", "date_joined_0": "2026-01-01", "date_joined_1": "00:00"}
        helper.submit(page + "change/", rise)
        helper.submit(page + "change/", {**form, "roles": [keys["administrator"], keys["helper"]]})
    for who in ("boss", "strong"):
        new = {"password1": "taken-over-42-times", "password2": "taken-over-42-times", "usable_password": "true"}
        helper.submit(f"/accounts/user/{keys[who]}/password/", new)
        ticked = {"action": "delete_selected", "_selected_action": keys[who], "post": "yes"}
        helper.submit("/accounts/user/", ticked)
        helper.submit(f"/accounts/user/{keys[who]}/delete/", {"post": "yes"})
    for role, name in (("helper", "People helper"), ("other", "People greeter")):
        helper.submit(f"/auth/group/{keys[role]}/change/", {"name": name, "permissions": [keys["add_key"]]})
    assert production.inside(LOOK.format(password=PASSWORD)) == STANDS


def test_staff_without_a_role_are_told_to_ask_for_one(production: Production) -> None:
    page = production.person("roleless").ask("/").text
    assert "Ask an administrator" in page
    assert "df-grid" not in page and "data-live" not in page
