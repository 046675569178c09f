"""People come in, other programs come in by key, and nobody else does."""

import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.forms import PasswordResetForm
from django.contrib.auth.models import Group, Permission
from django.db.models import F
from django.test import Client
from django.utils import timezone
from django.utils.html import escape

from core.api.scopes import METRICS, READ, SCOPES, WRITE_FILES
from core.models import AuditEntry
from core.text import moment_text
from dnbmon_site import api_urls
from dnbmon_site.accounts.api_key_rights import RIGHTS_BEHIND
from dnbmon_site.accounts.models import ApiKey, User, UserPermission, hashed
from monitoring.dossier.reader import NEEDED
from portfolio.billing.api_budget import Purse
from tests.builders.contracts import a_contract
from tests.builders.pages import text_of

pytestmark = pytest.mark.django_db
NEW = "other words entirely"


def an_admin(username: str = "ann") -> User:
    return User.objects.create_superuser(username, f"{username}@example.com", "secret words")


def test_login_page_and_list_of_people(client: Client, settings: Any) -> None:
    an_admin()
    printed = "User and password were printed where you started the demo."
    assert printed not in text_of(client.get("/login/"))
    settings.DEMO = True
    assert printed in text_of(client.get("/login/"))
    settings.DEMO = False
    answer = client.post("/login/", {"username": "ann", "password": "secret words"})
    assert answer.status_code == 302
    page = client.get("/accounts/user/")
    assert page.status_code == 200
    assert b"ann@example.com" in page.content


def test_roles_are_given_in_the_admin(client: Client) -> None:
    admin, role = an_admin(), Group.objects.create(name="Portfolio managers")
    client.force_login(admin)
    person = User.objects.create_user("bob")
    answer = client.post(
        f"/accounts/user/{person.pk}/change/",
        {"username": "bob", "timezone": "Europe/Berlin", "is_active": "on", "roles": [role.pk]},
    )
    assert answer.status_code == 302, answer.context and answer.context["errors"]
    person.refresh_from_db()
    assert list(person.groups.all()) == [role]
    assert person.timezone == "Europe/Berlin"


@pytest.mark.every_engine
def test_a_pattern_is_no_mail_address() -> None:
    an_admin()
    assert not User.objects.filter(email__iexact=".*").exists()
    assert not list(PasswordResetForm().get_users(".*@example.com"))
    assert User.objects.get(email__iexact="ANN@example.COM").username == "ann"


@pytest.mark.every_engine
@pytest.mark.parametrize("value", ["a.b", "a+b*", "(x)", "[x]", "{2}", "a|b", "^a$", "a\\d", "50 %"])
def test_iexact_takes_every_character_for_itself(value: str) -> None:
    User.objects.create_user("one", first_name=value, last_name=value.upper())
    User.objects.create_user("two", first_name="axb", last_name="other")
    assert User.objects.get(first_name__iexact=value.upper()).username == "one"


@pytest.mark.parametrize("value", ["a.b", "a+b*", "(x)", "[x]", "{2}", "a|b", "^a$"])
def test_iexact_of_another_column_too(value: str) -> None:
    User.objects.create_user("one", first_name=value, last_name=value.upper())
    User.objects.create_user("two", first_name="axb", last_name=".*")
    assert User.objects.get(first_name__iexact=F("last_name")).username == "one"


def test_a_key_is_shown_once_and_kept_as_a_hash() -> None:
    row, plain = ApiKey.issue(name="data warehouse", scopes="read, pull")
    assert plain not in str(ApiKey.objects.values().get())
    assert ApiKey.authenticate(plain) == row
    assert row.allows("pull") and not row.allows("admin")


@pytest.mark.parametrize("wrong", ["", "x", "dnbmon_", "dnbmon_12345678_", "dnbmon_12345678_abc", "other_1_2"])
def test_other_words_are_no_key(wrong: str) -> None:
    ApiKey.issue(name="data warehouse")
    assert ApiKey.authenticate(wrong) is None


def test_a_changed_key_is_no_key() -> None:
    _, plain = ApiKey.issue(name="data warehouse")
    assert ApiKey.authenticate(plain[:-1] + ("0" if plain[-1] != "0" else "1")) is None


def test_revoked_and_expired_keys_end() -> None:
    row, revoked = ApiKey.issue(name="one")
    row.revoke()
    _, expired = ApiKey.issue(name="two", expires_at=timezone.now() - timedelta(seconds=1))
    _, later = ApiKey.issue(name="three", expires_at=timezone.now() + timedelta(hours=1))
    assert [bool(ApiKey.authenticate(key)) for key in (revoked, expired, later)] == [False, False, True]


def test_use_is_noted_once_a_minute() -> None:
    row, plain = ApiKey.issue(name="one")
    ApiKey.authenticate(plain)
    row.refresh_from_db()
    first = row.last_used_at
    ApiKey.authenticate(plain)
    row.refresh_from_db()
    assert first is not None and row.last_used_at == first


def test_the_admin_issues_a_key(client: Client) -> None:
    client.force_login(an_admin())
    requested = {"name": "warehouse", "scopes": ["read", "alerts"], "budget": 5, "calls_per_minute": 60}
    plain = shown_in(client.post("/accounts/apikey/add/", requested))
    key = ApiKey.authenticate(plain)
    assert key is not None and key.created_by is not None and key.created_by.username == "ann"
    assert (key.scopes, key.budget, key.calls_per_minute) == ("read,alerts", 5, 60)
    ticked = {"action": "rotate", "_selected_action": [str(key.pk)]}
    assert "If the key was published" in text_of(client.post("/accounts/apikey/", ticked))
    assert ApiKey.objects.get().prefix == key.prefix, "nothing is rotated before it is confirmed"
    new = shown_in(client.post("/accounts/apikey/", {**ticked, "confirmed": "yes"}))
    rotated = ApiKey.authenticate(new)
    assert rotated is not None and rotated.pk == key.pk
    assert "messages" not in client.cookies, "whose text anybody may decode"
    assert not any(secret in str(dict(client.session)) for secret in (plain, new))
    assert ApiKey.authenticate(plain) is not None, "for a while the one before goes on"


def shown_in(answer: Any) -> str:
    assert answer.status_code == 200 and "no-store" in answer["Cache-Control"]
    (secret,) = answer.context["secrets"]
    assert secret.text in answer.content.decode()
    return str(secret.text)


@pytest.mark.parametrize("scopes", [["read", "write"], ["everything"], [], ["read,pull"]])
def test_the_admin_issues_no_key_with_a_scope_that_does_not_exist(client: Client, scopes: list[str]) -> None:
    client.force_login(an_admin())
    requested = {"name": "warehouse", "scopes": scopes, "budget": 0, "calls_per_minute": 60}
    answer = client.post("/accounts/apikey/add/", requested)
    assert answer.status_code == 200 and answer.context["errors"]
    assert not ApiKey.objects.exists()


def test_nor_does_anything_else() -> None:
    with pytest.raises(ValueError, match="No such scope: write. There are: read, "):
        ApiKey.issue(name="x", scopes="read, write")


def test_each_scope_is_ticked_beside_its_sentence(client: Client) -> None:
    client.force_login(an_admin())
    page = client.get("/accounts/apikey/add/").content.decode()
    for name, sentence in SCOPES.items():
        assert f'value="{name}"' in page
        assert str(escape(sentence)) in page


def test_the_list_of_keys_names_scopes_unless_a_key_has_all(client: Client) -> None:
    client.force_login(an_admin())
    ApiKey.issue(name="erp", scopes="read, pull")
    ApiKey.issue(name="everything", scopes=", ".join(SCOPES))
    page = text_of(client.get("/accounts/apikey/"))
    assert "read, pull" in page and "All scopes" in page and "write:portfolio" not in page


def test_a_key_from_before_keeps_what_exists_and_says_what_does_not(client: Client) -> None:
    """Scopes were free text: what is none opens nothing, and is shown until somebody ticks what was meant."""
    client.force_login(an_admin())
    key, _ = ApiKey.issue(name="warehouse", scopes="read")
    ApiKey.objects.update(scopes="read, write")
    key.refresh_from_db()
    assert key.allows("read") and not key.allows("write")
    words = "“write” is not a valid scope and has no effect."
    path = f"/accounts/apikey/{key.pk}/change/"
    for page in ("/", "/accounts/apikey/", path):
        assert words in client.get(page).content.decode(), page
    form = {"name": "warehouse", "scopes": ["read", "write:portfolio"], "budget": 0, "calls_per_minute": 60}
    assert client.post(path, form).status_code == 302
    key.refresh_from_db()
    assert key.scopes == "read,write:portfolio"
    assert "has no effect" not in client.get("/").content.decode()


def test_a_key_goes_on_when_its_issuer_has_left_and_the_list_says_so(client: Client) -> None:
    client.force_login(an_admin())
    _, plain = ApiKey.issue(name="warehouse", scopes="read", created_by=User.objects.create_user("bob"))
    assert "Deactivated" not in client.get("/accounts/apikey/").content.decode()
    User.objects.filter(username="bob").update(is_active=False)
    assert "Deactivated" in client.get("/accounts/apikey/").content.decode()
    assert ApiKey.authenticate(plain) is not None


def test_acts_on_people_roles_and_keys_are_written_down(client: Client) -> None:
    boss = an_admin()
    client.force_login(boss)
    client.post("/auth/group/add/", {"name": "Night shift"})
    role = Group.objects.get(name="Night shift")
    names = {"username": "bob", "first_name": "Bob", "last_name": "Lee", "email": "bob@example.com"}
    client.post("/accounts/user/add/", {**names, "roles": [role.pk]})
    person = User.objects.get(username="bob")
    form = {**names, "timezone": "UTC", "is_active": "on", "roles": [Group.objects.get(name="Viewer").pk]}
    client.post(f"/accounts/user/{person.pk}/change/", form)
    client.post(
        f"/accounts/user/{person.pk}/password/", {"password1": NEW, "password2": NEW, "usable_password": "true"}
    )
    client.post(f"/accounts/user/{person.pk}/delete/", {"post": "yes"})
    client.post("/accounts/apikey/add/", {"name": "x", "scopes": "read", "budget": 0, "calls_per_minute": 60})
    ticked = {"_selected_action": [str(ApiKey.objects.get().pk)]}
    client.post("/accounts/apikey/", {"action": "rotate", "confirmed": "yes", **ticked})
    ApiKey.objects.update(last_used_at=timezone.now())
    asked = text_of(client.post("/accounts/apikey/", {"action": "revoke", **ticked}))
    assert ", last used: just now" in asked and "lose access to the API immediately" in asked
    assert ApiKey.objects.filter(revoked_at=None).exists(), "nothing is revoked before it is confirmed"
    client.post("/accounts/apikey/", {"action": "revoke", "confirmed": "yes", **ticked})
    entries = list(AuditEntry.objects.order_by("id"))
    assert [entry.action for entry in entries] == [
        "group.added", "user.added", "user.invited", "user.changed", "user.changed", "user.deleted",
        "apikey.added", "apikey.rotated", "apikey.revoked",
    ]  # fmt: skip
    assert {entry.actor for entry in entries} == {"ann"}
    assert entries[3].summary.startswith("User bob changed: ") and "Roles" in entries[3].summary
    assert '"roles": ["Viewer"]' in entries[3].after
    assert not any(NEW in entry.after for entry in entries)


def test_a_deactivation_is_written_down_in_words(client: Client) -> None:
    User.objects.create_superuser("ann", password=NEW)
    client.login(username="ann", password=NEW)
    person = User.objects.create_user("olga", "olga@example.com", first_name="Olga", timezone="UTC")
    form = {"username": "olga", "first_name": "Olga", "email": "olga@example.com", "timezone": "UTC"}
    client.post(f"/accounts/user/{person.pk}/change/", form)
    entry = AuditEntry.objects.get(action="user.changed")
    assert entry.summary == "User olga deactivated"
    answer = client.get(f"/core/auditentry/{entry.pk}/change/")
    assert "Active yes no" in text_of(answer) and f"/accounts/user/{person.pk}/change/" in answer.content.decode()


KEY_FORM = {"name": "ERP", "budget": "0", "calls_per_minute": "600", "expires_at_0": "", "expires_at_1": ""}


def a_key_maker(*rights: str) -> User:
    """Somebody who looks after keys, and has these rights beside."""
    person = User.objects.create_user("kim", is_staff=True)
    known = (*rights, "view_apikey", "add_apikey", "change_apikey")
    UserPermission.objects.bulk_create(
        UserPermission(user=person, permission=right) for right in Permission.objects.filter(codename__in=known)
    )
    return person


def test_nobody_gets_further_by_a_key(client: Client) -> None:
    client.force_login(a_key_maker("pull_registration"))
    pages = [client.post("/accounts/apikey/add/", {**KEY_FORM, "scopes": [scope]}) for scope in SCOPES]
    assert {page.status_code for page in pages} == {200}
    assert [key.scopes for key in ApiKey.objects.all()] == ["pull"]
    assert "these scopes require: “write:portfolio”" in pages[list(SCOPES).index("write:portfolio")].content.decode()
    answer = client.post("/accounts/apikey/add/", {**KEY_FORM, "scopes": ["pull"], "budget": "1000000"})
    assert "A budget requires" in answer.content.decode()
    assert ApiKey.objects.count() == 1


def test_a_key_expires_at_the_end_of_a_day_without_a_time(client: Client) -> None:
    admin = an_admin()
    User.objects.update(timezone="Asia/Tokyo")
    client.force_login(admin)
    client.post("/accounts/apikey/add/", {**KEY_FORM, "scopes": ["read"], "expires_at_0": "2999-12-31"})
    key = ApiKey.objects.get()
    assert key.expires_at and key.expires_at.isoformat() == "2999-12-31T14:59:00+00:00"
    key.revoke()
    page = text_of(client.get(f"/accounts/apikey/{key.pk}/change/"))
    assert "read" in page and "separated by commas" not in page


@pytest.mark.parametrize("columns", [{"scopes": "read,write:portfolio"}, {"scopes": "pull", "budget": 5}])
def test_nobody_gets_hold_of_a_key_that_does_more(client: Client, columns: dict[str, Any]) -> None:
    client.force_login(a_key_maker("pull_registration"))
    row, plain = ApiKey.issue(name="ERP", **columns)
    ticked = {"action": "rotate", "_selected_action": [str(row.pk)]}
    page = client.post("/accounts/apikey/", ticked, follow=True)
    assert b"Ask another administrator to rotate them" in page.content
    assert client.post(f"/accounts/apikey/{row.pk}/do/rotate/", {"confirmed": "yes"}).status_code == 403
    changed = client.post(f"/accounts/apikey/{row.pk}/change/", {**KEY_FORM, "name": "mine", "scopes": ["pull"]})
    assert changed.status_code == 403
    row.refresh_from_db()
    assert row.name == "ERP" and row.opens_with(hashed(plain.rpartition("_")[2]))
    client.post("/accounts/apikey/", {**ticked, "action": "revoke", "confirmed": "yes"})
    row.refresh_from_db()
    assert row.revoked_at, "taking away is safe"


def test_the_page_of_a_key_shows_its_budget_and_revokes_it_after_a_question(client: Client) -> None:
    client.force_login(a_key_maker())
    key, _ = ApiKey.issue(name="ERP", scopes="pull", budget=5)
    Purse(key.pk, key.budget, a_contract()).spend(["804735132"])
    page = f"/accounts/apikey/{key.pk}/"
    assert "1 of 5 used this contract year" in text_of(client.get(f"{page}change/"))
    asked = text_of(client.post(f"{page}do/revoke/"))
    assert "last used: Never" in asked and "lose access to the API immediately" in asked
    assert ApiKey.objects.get().revoked_at is None, "nothing is revoked before it is confirmed"
    assert "The API key was revoked." in text_of(client.post(f"{page}do/revoke/", {"confirmed": "yes"}, follow=True))
    assert ApiKey.objects.get().revoked_at and AuditEntry.objects.get().action == "apikey.revoked"
    assert "Revoke key" not in text_of(client.get(f"{page}change/"))


def test_the_page_of_a_key_shows_its_history_with_rotations_and_revocations(client: Client) -> None:
    client.force_login(an_admin())
    key, _ = ApiKey.issue(name="ERP", scopes="read")
    page = f"/accounts/apikey/{key.pk}/"
    assert "History" not in text_of(client.get(f"{page}change/"))
    for action in ("rotate", "revoke"):
        client.post(f"{page}do/{action}/", {"confirmed": "yes"})
    text = text_of(client.get(f"{page}change/"))
    history = text[text.index("History") :]
    assert history.index("revoked") < history.index("replaced")


def test_after_a_rotation_pages_show_the_old_key_until_it_is_ended_alone(client: Client) -> None:
    client.force_login(an_admin())
    key, old = ApiKey.issue(name="ERP", scopes="read")
    page, old_prefix = f"/accounts/apikey/{key.pk}/", f"dnbmon_{key.prefix}_…"
    assert "Rotate key" in text_of(client.get(f"{page}change/"))
    new = shown_in(client.post(f"{page}do/rotate/", {"confirmed": "yes"}))
    key.refresh_from_db()
    assert key.old_until
    for shown in (f"{page}change/", "/accounts/apikey/"):
        assert f"Old key {old_prefix}, valid until {moment_text(key.old_until)}" in text_of(client.get(shown)), shown
    rotated = AuditEntry.objects.get(action="apikey.rotated").summary
    assert f"dnbmon_{key.prefix}_…" in rotated and f"replaced {old_prefix}, which is valid until" in rotated
    asked = text_of(client.post(f"{page}do/revoke/"))
    assert old_prefix in asked and "To end only an old key" in asked
    assert old_prefix in text_of(client.post(f"{page}do/end-old-key/"))
    assert ApiKey.authenticate(old), "nothing ends before it is confirmed"
    client.post(f"{page}do/end-old-key/", {"confirmed": "yes"})
    assert ApiKey.authenticate(old) is None and ApiKey.authenticate(new)
    assert AuditEntry.objects.get(action="apikey.old_ended").summary.startswith(f"Old API key {old_prefix} of ERP")
    assert "Old key" not in text_of(client.get(f"{page}change/"))


def test_a_second_rotation_names_the_old_key_that_it_ends(client: Client) -> None:
    client.force_login(an_admin())
    key, _ = ApiKey.issue(name="ERP", scopes="read")
    first = f"dnbmon_{key.prefix}_…"
    key.rotate()
    asked = text_of(client.post(f"/accounts/apikey/{key.pk}/do/rotate/"))
    assert f"Old key {first}" in asked and "ends immediately, because of the new rotation" in asked


def test_the_page_of_a_revoked_key_offers_nothing(client: Client) -> None:
    client.force_login(an_admin())
    key, _ = ApiKey.issue(name="ERP", scopes="read")
    key.rotate()
    key.revoke()
    page = client.get(f"/accounts/apikey/{key.pk}/change/")
    assert not {"Save", "Rotate key", "Revoke key", "End the old key now"} & set(buttons_of(page))
    assert client.post(f"/accounts/apikey/{key.pk}/do/rotate/", {"confirmed": "yes"}).status_code == 403


def buttons_of(page: Any) -> list[str]:
    return [" ".join(text.split()) for text in re.findall(r"<button[^>]*>([^<]*)</button>", page.content.decode())]


def test_a_new_key_is_named_and_has_no_empty_facts(client: Client) -> None:
    client.force_login(an_admin())
    assert "Issued by" not in text_of(client.get("/accounts/apikey/add/"))
    shown = client.post("/accounts/apikey/add/", {**KEY_FORM, "scopes": ["read"]})
    assert "This is the API key. Copy it now." in text_of(shown)
    assert b'data-copy="secret-1"' in shown.content


def test_the_rights_behind_scopes_are_those_of_the_addresses() -> None:
    asked: dict[str, set[str]] = {}
    # Which events there are is no secret; people read it beside the webhooks.
    described = {"monitoring.view_webhookendpoint"}
    for view in api_views():
        for method, right in getattr(view, "permissions", {}).items():
            if scope := getattr(view, "scopes", {}).get(method, READ if method == "GET" else ""):
                asked.setdefault(scope, set()).update({right} - described)
    # Lists among the files say which companies are monitored.
    asked[WRITE_FILES].add("portfolio.change_subject")
    # A dossier has the parts that the key's scopes include.
    for part in NEEDED.values():
        if part.scope:
            asked[part.scope].add(part.permission)
    assert asked == {scope: set(rights) for scope, rights in RIGHTS_BEHIND.items() if scope != METRICS}
    assert set(RIGHTS_BEHIND) == set(SCOPES)


def api_views() -> Iterator[Any]:
    waiting: list[Any] = list(api_urls.urlpatterns)
    while waiting:
        one = waiting.pop()
        waiting += getattr(one, "url_patterns", ())
        if view := getattr(getattr(one, "callback", None), "cls", None):
            yield view
