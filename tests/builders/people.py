"""Those who work with the program."""

from uuid import NAMESPACE_DNS, uuid5

from django.contrib.auth.models import Group, Permission
from django.test import Client

from core.actors import Actor
from dnbmon_site.accounts.models import User


def an_actor(name: str) -> Actor:
    """A person, always the same under this name."""
    return Actor(name, uuid5(NAMESPACE_DNS, name))


def a_person(*rights: str, username: str = "bob", role: str = "") -> User:
    """Somebody of the staff with these rights, or with the rights of a role."""
    user = User.objects.create_user(username, is_staff=True)
    if rights:
        user.user_permissions.set(Permission.objects.filter(codename__in=rights))
    if role:
        user.groups.set(Group.objects.filter(name=role))
    return user


def an_alert_viewer(*permissions: str) -> Client:
    """Somebody who may see alerts, signed in."""
    bob = User.objects.create_user("bob", "bob@example.com", "secret words", is_staff=True)
    codes = [name.partition(".")[2] for name in ("monitoring.view_alert", *permissions)]
    for permission in Permission.objects.filter(codename__in=codes, content_type__app_label="monitoring"):
        bob.user_permissions.add(permission)
    client = Client()
    client.force_login(bob)
    return client
