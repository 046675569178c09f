"""Who may what: every page, button and address of the admin, for every role, exactly as the tables here say.

The letters: V viewer, A analyst, M portfolio manager, P approver, O operator, D administrator. A page that no table
names fails the test, so whoever adds one says here who may see it.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from django.apps import apps
from django.contrib import admin
from django.contrib.auth.models import Group, Permission
from django.test import Client
from django.urls import URLPattern, resolve
from django_q.models import Schedule

from dnbmon_site.accounts import roles
from dnbmon_site.accounts.models import User
from tests.builders.people import a_person
from tests.builders.registrations import a_registration
from tests.builders.rows import a_row_of_each_model
from tests.engines import engine
from tests.support import PROGRAM, ROOT

pytestmark = pytest.mark.django_db
# Rights are Django's on every engine, and each role takes long: on the others who may most opens every page.
ROLES_HERE = roles.ROLES if engine() == "sqlite" else roles.ROLES[-1:]
LETTERS = dict(zip("VAMPOD", roles.ROLES, strict=True))
ALL, NOBODY = "VAMPOD", "-"

# "add" of an import only leads to its upload, which is in the next table.
# model                       see        add    change  delete
MODELS = """
auth.group                    D          D      D       D
axes.accessattempt            D          -      -       -
axes.accesslog                D          -      -       -
django_q.failure              OD         -      -       -
django_q.ormq                 OD         -      -       OD
django_q.schedule             OD         D      OD      D
django_q.success              OD         -      -       -
accounts.apikey            D          D      D       -
accounts.user              D          D      D       D
health.incident               OD     -      -       -
monitoring.alert              VAMPOD     -      -       -
monitoring.alertrule          VAMPOD     AD     AD      AD
monitoring.responsetime       VAMPOD     -      D       -
monitoring.change             VAMPOD     -      -       -
monitoring.channel            VAMPOD     VAMPOD OD      OD
monitoring.dailystat         VAMPOD     -      -       -
monitoring.datafetch          VAMPOD     -      -       -
monitoring.familytree         VAMPOD     -      -       -
monitoring.deadletter         VAMPOD     -      -       -
monitoring.decision           VAMPOD     -      -       -
monitoring.deliveredfile      VAMPOD     -      -       -
monitoring.delivery           VAMPOD     -      -       -
monitoring.duereview          VAMPOD     -      -       -
monitoring.outboxmessage      AOD        -      -       -
monitoring.element            VAMPOD     -      AD      -
monitoring.fileserver         OD         OD     OD      OD
monitoring.notification       VAMPOD     -      -       -
monitoring.publication        VAMPOD     -      -       -
monitoring.replaypass         VAMPOD     -      -       -
monitoring.reportschedule     VAMPOD     MD     MD      MD
monitoring.review             VAMPOD     -      -       -
monitoring.reviewsettings     VAMPOD     -      D       -
monitoring.scheduledexport    VAMPOD     AD     AD      AD
monitoring.tierimport         MD         -      -       -
monitoring.tierrule           VAMPOD     MD     MD      MD
monitoring.webhookendpoint    OD         OD     OD      -
core.auditentry          VAMPOD     -      -       -
core.businessunit        D          D      D       D
portfolio.callbudget          VAMPOD     -      D       -
portfolio.company             VAMPOD     -      -       -
portfolio.companysearch       VAMPOD     -      -       -
portfolio.contract            VAMPOD     D      D       -
portfolio.dnbcall             VAMPOD     -      -       -
portfolio.entitlements        VAMPOD     -      -       -
portfolio.exchangerate        AMD        -      -       MD
portfolio.exposureimport      AMD        -      -       -
core.export              VAMPOD     -      -       -
core.notice              VAMPOD     -      -       -
portfolio.proposal            VAMPOD     -      -       -
portfolio.referencelist       VAMPOD     -      -       -
portfolio.registration        VAMPOD     -      OD      -
core.savedfilter         VAMPOD     -      D       D
portfolio.subject             VAMPOD     -      MD      -
portfolio.subjectimport       VAMPOD     VAMPOD -       -
portfolio.syncrun             VAMPOD     -      -       -
"""

# What a model has beside that. {key}: a row of the model; {registration}: a registration.
ADDRESSES = """
GET  /accounts/user/{key}/password/                      D
POST /accounts/user/{key}/invite/                        D
POST /accounts/user/{key}/reset-two-step/                D
POST /accounts/apikey/{key}/do/rotate/                       D
POST /accounts/apikey/{key}/do/end-old-key/                  D
POST /accounts/apikey/{key}/do/revoke/                       D
GET  /monitoring/alert/export/                               VAMPOD
POST /monitoring/alert/save/                                 VAMPOD
POST /monitoring/alert/columns/                              VAMPOD
POST /monitoring/change/save/                                VAMPOD
POST /monitoring/change/columns/                             VAMPOD
POST /monitoring/notification/save/                          VAMPOD
POST /monitoring/notification/columns/                       VAMPOD
POST /portfolio/company/save/                                VAMPOD
POST /portfolio/company/columns/                             VAMPOD
POST /portfolio/subject/save/                                VAMPOD
POST /portfolio/subject/columns/                             VAMPOD
POST /health/incident/{key}/do/note/                         OD
POST /monitoring/alert/{key}/do/acknowledge/                AD
POST /monitoring/outboxmessage/{key}/do/resend/             OD
POST /monitoring/alertrule/restore/                         AD
GET  /monitoring/alertrule/{key}/try/                       VAMPOD
GET  /monitoring/alertrule/{key}/effectiveness/             VAMPOD
POST /monitoring/alertrule/{key}/do/switch-on/              AD
GET  /monitoring/channel/confirm/a-token/                   VAMPOD
GET  /monitoring/channel/unsubscribe/a-token/               VAMPOD
POST /monitoring/channel/{key}/do/test/                     OD
GET  /monitoring/change/export/                             VAMPOD
GET  /monitoring/change/pulse/                              VAMPOD
GET  /monitoring/deadletter/{key}/raw/                      VAMPOD
POST /monitoring/deadletter/{key}/do/try-again/             OD
GET  /monitoring/datafetch/request/                         MOD
POST /monitoring/datafetch/request/                         MOD
GET  /monitoring/datafetch/{key}/company/804735132/         VAMPOD
POST /monitoring/datafetch/{key}/do/accept/                 MOD
GET  /monitoring/decision/export/                           VAMPOD
GET  /monitoring/decision/decide/804735132/                 AD
GET  /monitoring/decision/decide/804735132/limit/           AD
POST /monitoring/decision/decide/804735132/                 AD
POST /monitoring/decision/{key}/do/confirm/                 PD
POST /monitoring/decision/{key}/do/refuse/                  PD
GET  /monitoring/duereview/export/                          VAMPOD
GET  /monitoring/review/export/                             VAMPOD
GET  /monitoring/tierimport/upload/                         MD
POST /monitoring/tierimport/upload/                         MD
GET  /monitoring/tierimport/template/                       VAMPOD
GET  /monitoring/tierimport/{key}/rows.csv                  MD
POST /monitoring/tierimport/{key}/do/confirm/               MD
POST /monitoring/tierrule/{key}/do/enable/                  MD
GET  /monitoring/familytree/request/                        MOD
POST /monitoring/familytree/request/                        MOD
POST /monitoring/familytree/{key}/do/stop/                  MOD
GET  /monitoring/delivery/{key}/raw/                        VAMPOD
GET  /monitoring/deliveredfile/upload/                      OD
POST /monitoring/deliveredfile/upload/                      OD
POST /monitoring/deliveredfile/{key}/do/import-now/         OD
POST /monitoring/deliveredfile/{key}/do/confirm-list/       MD
POST /monitoring/fileserver/{key}/do/test/                  OD
POST /monitoring/scheduledexport/{key}/do/run/              AD
GET  /monitoring/notification/export/                       VAMPOD
GET  /monitoring/reportschedule/report/                     VAMPOD
GET  /monitoring/reportschedule/report.pdf                  VAMPOD
GET  /monitoring/reportschedule/report.xlsx                 VAMPOD
POST /monitoring/webhookendpoint/{key}/do/test/             OD
GET  /core/auditentry/export/                          VAMPOD
POST /core/businessunit/give/                          D
GET  /portfolio/company/export/                             VAMPOD
POST /portfolio/company/{key}/do/note/                      AMD
POST /portfolio/company/{key}/do/remove-note/               AMD
POST /portfolio/company/{key}/do/describe/                  MD
POST /portfolio/company/{key}/do/tier/                      MD
POST /portfolio/company/{key}/do/review/                    AD
GET  /portfolio/companysearch/find/                         MD
POST /portfolio/companysearch/find/                         MD
GET  /portfolio/companysearch/decide/                       VAMPOD
POST /portfolio/companysearch/{key}/do/choose/              MD
GET  /portfolio/contract/export/                            VAMPOD
GET  /portfolio/contract/year/                              VAMPOD
GET  /core/export/{key}/download/                      VAMPOD
GET  /portfolio/proposal/export/                            VAMPOD
GET  /portfolio/proposal/decide/accept/?key={key}           MD
GET  /portfolio/proposal/decide/dismiss/?key={key}          MD
GET  /portfolio/proposal/decide/approve/?key={key}          PD
POST /portfolio/proposal/decide/accept/?key={key}           MD
POST /portfolio/proposal/decide/dismiss/?key={key}          MD
POST /portfolio/proposal/decide/approve/?key={key}          PD
GET  /portfolio/registration/export/                        VAMPOD
GET  /portfolio/registration/pause/                         OD
POST /portfolio/registration/pause/                         OD
POST /portfolio/registration/look/                          OD
POST /portfolio/registration/{key}/do/pull-now/             OD
POST /portfolio/registration/{key}/do/start/                OD
POST /portfolio/registration/{key}/do/resume-reading/       OD
POST /portfolio/registration/{key}/do/gap-dealt-with/       OD
GET  /portfolio/subject/export/                             VAMPOD
POST /portfolio/subject/plan/                               MD
GET  /portfolio/subjectimport/export/                       VAMPOD
GET  /portfolio/subjectimport/template/                     VAMPOD
GET  /portfolio/subjectimport/upload/                       MD
POST /portfolio/subjectimport/upload/                       MD
GET  /portfolio/subjectimport/{key}/validations.csv         VAMPOD
POST /portfolio/subjectimport/{key}/do/pad/                 MPD
POST /portfolio/subjectimport/{key}/do/find/                MPD
POST /portfolio/subjectimport/{key}/do/confirm/             MPD
POST /portfolio/subjectimport/{key}/do/approve/             MPD
POST /portfolio/subjectimport/{key}/do/cancel/              MPD
POST /portfolio/subjectimport/{key}/do/undo/                MPD
POST /portfolio/syncrun/{key}/do/pause/                     MD
GET  /portfolio/exposureimport/amount/804735132/            MD
POST /portfolio/exposureimport/amount/804735132/            MD
GET  /portfolio/exposureimport/overview/                    AMD
GET  /portfolio/exposureimport/template/                    VAMPOD
GET  /portfolio/exposureimport/upload/                      MD
POST /portfolio/exposureimport/upload/                      MD
GET  /portfolio/exposureimport/{key}/rows.csv               AMD
POST /portfolio/exposureimport/{key}/do/apply/              MD
POST /portfolio/exchangerate/set/                           MD
POST /portfolio/exchangerate/currency/                      MD
GET  /portfolio/referencelist/fetch/                         OD
POST /portfolio/referencelist/fetch/                         OD
GET  /portfolio/dnbcall/export/                             VAMPOD
POST /portfolio/entitlements/{key}/fetch/                   OD
GET  /portfolio/syncrun/drift/{registration}/               VAMPOD
POST /portfolio/syncrun/drift/{registration}/               MD
POST /portfolio/syncrun/drift/{registration}/request/       MD
POST /portfolio/syncrun/start/{registration}/               MD
GET  /portfolio/syncrun/adopt/{registration}/               VAMPOD
POST /portfolio/syncrun/adopt/{registration}/               MD
POST /portfolio/syncrun/adopt/{registration}/list/          MD
POST /portfolio/syncrun/adopt/{registration}/take/          MD
POST /portfolio/syncrun/check/{check}/cancel/               MD
GET  /portfolio/syncrun/suppress/{registration}/            MD
POST /portfolio/syncrun/suppress/{registration}/            MD
"""

ACTIONS = """
auth.group              delete_selected        D
axes.accessattempt      unlock                 D
django_q.failure        resubmit               OD
django_q.ormq           delete_selected        OD
django_q.schedule       delete_selected        D
django_q.schedule       pause                  OD
django_q.schedule       resume                 OD
django_q.schedule       run_now                OD
accounts.apikey      rotate                 D
accounts.apikey      revoke                 D
accounts.user        delete_selected        D
monitoring.alert        acknowledge_selected   AD
monitoring.alert        assign_selected        AD
monitoring.alert        close_selected         AD
monitoring.alert        open_selected          AD
monitoring.alert        snooze_selected        AD
monitoring.alert        take_selected          AD
monitoring.alert        wake_selected          AD
monitoring.alertrule    delete_selected        AD
monitoring.alertrule    reset_selected         AD
monitoring.alertrule    switch_selected_off    AD
monitoring.alertrule    switch_selected_on     AD
monitoring.channel      delete_selected        OD
monitoring.duereview    set_tier_of_selected   MD
monitoring.outboxmessage again                  OD
monitoring.deadletter   set_selected_aside     OD
monitoring.deadletter   try_selected_again     OD
monitoring.reportschedule   delete_selected    MD
monitoring.reportschedule   send               MD
monitoring.scheduledexport  delete_selected    AD
monitoring.scheduledexport  write              AD
portfolio.company       fetch_selected         MOD
portfolio.company       set_tier_of_selected   MD
portfolio.company       fetch_chains           MOD
portfolio.company       stop_selected          MD
portfolio.exchangerate  delete_selected        MD
portfolio.proposal      accept_selected        MD
portfolio.proposal      approve_selected       PD
portfolio.proposal      dismiss_selected       MD
portfolio.registration  import_selected        MD
portfolio.registration  pause_selected         OD
portfolio.registration  pull_selected          OD
portfolio.registration  start_selected         OD
portfolio.registration  stop_selected          MD
core.businessunit  delete_selected        D
core.savedfilter   delete_selected        D
portfolio.subject       cancel_selected        MD
portfolio.subject       plan_selected          MD
portfolio.subject       stop_selected          MD
"""

# The admin's own pages.
SITE = {
    "search", "index", "login", "logout", "password_change", "password_change_done", "autocomplete", "jsi18n",
    "view_on_site", "app_list",
}  # fmt: skip
COMMON = ("changelist", "add", "history", "delete", "change")


def lines(table: str) -> list[list[str]]:
    return [line.split() for line in table.strip().splitlines()]


def registered() -> dict[str, Any]:
    return {model._meta.label_lower: found for model, found in admin.site._registry.items()}


def may(letters: str, role: str) -> bool:
    return any(LETTERS.get(letter) == role for letter in letters)


# What is asked


def questions() -> Iterator[tuple[str, str, str, str]]:
    """Method, address, letters, and the model whose row {key} is."""
    for name, see, add, change, delete in lines(MODELS):
        path = "/" + name.replace(".", "/")
        yield "GET", f"{path}/", see, name
        yield "GET", f"{path}/{{key}}/change/", see, name
        yield "GET", f"{path}/{{key}}/history/", see, name
        yield "GET", f"{path}/add/", add, name
        yield "GET", f"{path}/{{key}}/delete/", delete, name
        if change != NOBODY:
            yield "POST", f"{path}/{{key}}/change/", change, name
    for method, path, letters in lines(ADDRESSES):
        app, model = path.split("/")[1:3]
        yield method, path, letters, f"{app}.{model}"


def there(name: str) -> bool:
    return name in registered()


@pytest.fixture
def rows() -> dict[str, Any]:
    return a_row_of_each_model()


def address(path: str, name: str, rows: dict[str, Any]) -> str:
    return path.format(key=rows[name], registration=a_registration().pk, check=uuid.uuid4())


@pytest.mark.parametrize("role", ROLES_HERE)
def test_every_page_and_address_for_every_role(
    role: str, client: Client, rows: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("DNB_API_KEY", raising=False)
    client.force_login(a_person(role=role))
    # There is a business unit among the rows; what its users may open is tested by itself.
    User.objects.update(sees_all=True)
    client.raise_request_exception = False
    wrong = []
    for method, path, letters, name in questions():
        if not there(name):
            continue
        ask = client.get if method == "GET" else client.post
        query = address(path, name, rows)
        status = ask(query, {"key": str(rows[name])} if method == "POST" else None).status_code
        if (status != 403) != may(letters, role) or status >= 500:
            wrong.append(f"{method} {path}: {status}, and {role} {'may' if may(letters, role) else 'may not'}")
    assert wrong == []


@pytest.mark.parametrize("role", roles.ROLES)
def test_every_action_for_every_role(role: str, rf: Any) -> None:
    request = rf.get("/")
    request.user = a_person(role=role)
    requested = {(name, action) for name, action, letters in lines(ACTIONS) if there(name) and may(letters, role)}
    found = {(name, action) for name, page in registered().items() for action in page.get_actions(request)}
    assert {one for one in found if one[1] != "export_selected"} == requested


def test_what_is_kept_from_a_role_is_called_as_it_is() -> None:
    """A name that no table has keeps nothing from anybody."""
    known = {model._meta.model_name for model in apps.get_models()}
    assert {*roles.HIDDEN, *roles.HELD} <= known
    rights = {f"{app}.{name}" for app, name in Permission.objects.values_list("content_type__app_label", "codename")}
    assert set(roles.NAMED) <= rights
    assert not Group.objects.filter(permissions__codename="view_blob").exists()
    assert {role.name for role in Group.objects.filter(permissions__codename="view_outboxmessage")} == {
        *("Analyst", "Operator", "Administrator")
    }


def test_no_page_is_left_out() -> None:
    named = {name for name, *_ in lines(MODELS)}
    assert set(registered()) <= named
    told = {resolve(path.split("?")[0].format(key=uuid.uuid4(), registration=uuid.uuid4(), check=uuid.uuid4())).url_name
            for _, path, _, name in questions() if there(name)}  # fmt: skip
    assert set(names_of_all_pages()) - told == set()


def names_of_all_pages() -> Iterator[str]:
    for name, page in registered().items():
        for pattern in page.get_urls():
            if isinstance(pattern, URLPattern) and pattern.name:
                yield pattern.name
        assert name
    for pattern in admin.site.get_urls():
        if isinstance(pattern, URLPattern) and pattern.name:
            assert pattern.name in SITE, pattern.name


def test_no_action_is_left_out(rf: Any) -> None:
    request = rf.get("/")
    request.user = User.objects.create_superuser("ann")
    named = {(name, action) for name, action, _ in lines(ACTIONS)} | {
        (name, "export_selected") for name in registered()
    }
    assert {(name, action) for name, page in registered().items() for action in page.get_actions(request)} <= named


@pytest.mark.parametrize("path", ["/", "/portfolio/contract/year/", "/portfolio/proposal/decide/accept/"])
def test_who_is_not_logged_in_or_not_of_the_staff_sees_nothing(client: Client, path: str) -> None:
    assert client.get(path)["Location"].startswith("/login/")
    client.force_login(User.objects.create_user("outsider"))
    assert client.get(path)["Location"].startswith("/login/")


# The roles themselves


def test_they_are_there_after_migrating() -> None:
    assert set(roles.ROLES) <= set(Group.objects.values_list("name", flat=True))


def test_each_sees_and_changes_what_the_table_in_the_documents_says() -> None:
    known = [f"{app}.{name}" for app, name in Permission.objects.values_list("content_type__app_label", "codename")]
    rights = {role: roles.rights_of(role, known) for role in roles.ROLES}
    for role in roles.ROLES:
        assert rights[roles.VIEWER] <= rights[role]
        assert rights[role] <= rights[roles.ADMINISTRATOR]
    assert not any(name.split(".")[1].startswith(("add", "change", "delete")) for name in rights[roles.VIEWER])
    assert "portfolio.view_accesstoken" not in rights[roles.ADMINISTRATOR]
    assert "django_q.add_schedule" not in rights[roles.OPERATOR]


def test_every_right_that_is_asked_for_exists() -> None:
    """One that does not is refused to everybody but superusers, without a word."""
    found = set(Permission.objects.values_list("content_type__app_label", "codename"))
    actions = "|".join({codename.partition("_")[0] for _, codename in found})
    asked = re.compile(rf'(?:"|perms\.)([a-z_]+)\.((?:{actions})_[a-z]+)\b')
    files = [path for app in PROGRAM for path in (ROOT / app).rglob("*.py")]
    files += (ROOT / "templates").rglob("*.html")
    named = {(str(path.relative_to(ROOT)), *right) for path in files for right in asked.findall(path.read_text())}
    assert {right for right in named if right[1:] not in found} == set()
    assert len(named) > 50


def test_installing_again_puts_right_what_was_changed(django_assert_max_num_queries: Any) -> None:
    viewer = Group.objects.get(name=roles.VIEWER)
    own = Group.objects.create(name="Night shift")
    viewer.permissions.set(Permission.objects.filter(codename="delete_user"))
    roles.install_roles()
    names = set(viewer.permissions.values_list("codename", flat=True))
    assert "delete_user" not in names and "view_company" in names
    assert own.permissions.count() == 0
    with django_assert_max_num_queries(2 + 3 * len(roles.ROLES)):
        roles.install_roles()


def test_whoever_gets_a_role_may_log_in(client: Client) -> None:
    client.force_login(User.objects.create_superuser("ann"))
    person = User.objects.create_user("bob")
    role = Group.objects.get(name=roles.VIEWER)
    form = {"username": "bob", "timezone": "UTC", "is_active": "on", "roles": [role.pk]}
    assert client.post(f"/accounts/user/{person.pk}/change/", form).status_code == 302
    person.refresh_from_db()
    assert person.is_staff and person.has_perm("portfolio.view_company")


def test_permissions_are_named_in_the_words_of_the_pages(client: Client) -> None:
    client.force_login(User.objects.create_superuser("ann"))
    own = Group.objects.create(name="Own")
    own.permissions.add(Permission.objects.get(codename="view_session"))
    page = client.get(f"/auth/group/{own.pk}/change/").text
    groups = re.findall(r'<div class="dm-box-group" role="group" aria-label="([^"]+)">(.*?)</div>', page)
    names = {things: re.findall(r"<span>([^<]+)</span>", boxes) for things, boxes in groups}
    assert "Add" in names["Roles"] and "Change" in names["Schedules"]
    assert "Pull, start and pause a registration" in names["Registrations"]
    assert [*names] == sorted(names, key=str.casefold) and "Can " not in str(names) and "|" not in str(names)
    assert names["Sessions"] == ["View"], "what the role has stays selected"
    assert not any(things.startswith(("Leases", "Blobs", "Content types", "Access ")) for things in names)


def test_a_role_that_upgrades_restore_states_so(client: Client) -> None:
    client.force_login(User.objects.create_superuser("ann"))
    own, viewer = Group.objects.create(name="Own"), Group.objects.get(name=roles.VIEWER)
    for role, states in ((own, False), (viewer, True)):
        for page in ("change", "delete"):
            text = client.get(f"/auth/group/{role.pk}/{page}/").text
            assert ("each upgrade restores its permissions" in text) is states
    viewers = [right.pk for right in viewer.permissions.all()]
    client.post(f"/auth/group/{own.pk}/change/", {"name": "Own", "permissions": viewers})
    assert set(own.permissions.values_list("pk", flat=True)) == set(viewers)


def test_an_operator_cannot_choose_what_a_schedule_runs(client: Client) -> None:
    row = Schedule.objects.create(name="mine", func="monitoring.jobs.count_days")
    client.force_login(a_person(role=roles.OPERATOR))
    form = {"name": "mine", "func": "os.system", "schedule_type": "I", "minutes": 5, "repeats": -1}
    client.post(f"/django_q/schedule/{row.pk}/change/", {**form, "next_run_0": "2026-01-01", "next_run_1": "00:00"})
    row.refresh_from_db()
    assert row.func == "monitoring.jobs.count_days"


def test_what_is_hidden_or_held_is_a_table() -> None:
    """By the name of a table that is there no more, nothing would be kept from anybody."""
    assert {*roles.HIDDEN, *roles.HELD} <= {model._meta.model_name for model in apps.get_models()}
