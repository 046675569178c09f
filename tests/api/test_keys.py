"""Who gets in: programs by a valid key with the scope for it, people who are signed in as staff."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client
from django.utils import timezone

from core.api.scopes import SCOPES
from dnbmon_site.accounts.api_keys import scope_of, why_refused
from dnbmon_site.accounts.first_user import give_first_access
from dnbmon_site.accounts.models import ApiKey, User
from dnbmon_site.api_urls import v1
from portfolio.models import Subject
from tests.builders.deliveries import delivered
from tests.builders.family_trees import a_tree_of_each_kind
from tests.builders.notifications import an_update
from tests.builders.operations import NOWHERE, addresses, operations
from tests.builders.programs import Program, a_signed_in_person
from tests.builders.registrations import a_registration

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("operation", operations())
def test_nobody_comes_in_without_a_key(stranger: Program, operation: str) -> None:
    method, _, path = operation.partition(" ")
    answer = stranger.send(method, path.format(**NOWHERE))
    assert answer.status_code == 401
    assert answer["WWW-Authenticate"] == 'Bearer realm="api"'
    assert answer["Content-Type"] == "application/problem+json"


@pytest.mark.parametrize(
    "header",
    [
        "Bearer",
        "Bearer ",
        "Bearer x",
        "Bearer dnbmon_12345678_abc",
        "Bearer dnbmon_\0_abc",
        "Bearer dnbmon_é_abc",
        "Basic YTpi",
        "Token x",
        "Bearer a b",
    ],
)
def test_what_is_no_key_does_not_open(header: str) -> None:
    answer = Client().get("/api/v1/changes/", headers={"Authorization": header})
    assert answer.status_code == 401
    assert "WWW-Authenticate" in answer
    has_scheme = header.startswith("Bearer")
    assert ("Write Bearer before the key" in answer.json()["detail"]) is not has_scheme


def test_a_key_opens_until_it_is_revoked(key: tuple[ApiKey, str]) -> None:
    row, plain = key
    headers = {"Authorization": f"bearer {plain}"}
    assert Client().get("/api/v1/changes/", headers=headers).status_code == 200
    row.revoke()
    answer = Client().get("/api/v1/changes/", headers=headers)
    assert answer.status_code == 401
    assert answer["WWW-Authenticate"].startswith("Bearer")
    when = f"{row.revoked_at:%Y-%m-%d %H:%M} UTC"
    assert answer.json()["detail"] == f"This API key was revoked on {when}. Ask an administrator for a new one."
    for other in (plain[:-1], plain.replace(row.prefix, "0" * 8), "dnbmon__x"):
        answer = Client().get("/api/v1/changes/", headers={"Authorization": f"Bearer {other}"})
        assert answer.json()["detail"].startswith("This API key is invalid"), "the rest is for who holds the key"


def test_a_key_opens_until_it_expires(a_program: Callable[..., Program]) -> None:
    now = timezone.now()
    assert a_program(expires_at=now + timedelta(hours=1)).get("changes/").status_code == 200
    expired = a_program(expires_at=now - timedelta(seconds=1)).get("changes/")
    assert expired.status_code == 401 and "This API key expired on 20" in expired.json()["detail"]


@pytest.mark.parametrize(("scopes", "status"), [("read", 200), ("pull, read", 200), ("pull", 403), ("", 403)])
def test_reading_takes_the_scope_read(a_program: Callable[..., Program], scopes: str, status: int) -> None:
    assert a_program(scopes=scopes).get("changes/").status_code == status


def test_a_key_is_no_person(program: Program) -> None:
    assert program.client.get("/", headers=program.headers).status_code == 302


RIGHTS = {
    "companies/": "portfolio.view_company",
    "companies/804735132/": "portfolio.view_company",
    "companies/804735132/changes/": "monitoring.view_change",
    "companies/804735132/profile/": "portfolio.view_company",
    "companies/804735132/dossier/": "portfolio.view_company",
    "notifications/": "monitoring.view_notification",
    "changes/": "monitoring.view_change",
    "registrations/": "portfolio.view_registration",
    "registrations/ACME_LOD_01/": "portfolio.view_registration",
    "registrations/ACME_LOD_01/subjects/": "portfolio.view_subject",
    "registrations/ACME_LOD_01/adoption/": "portfolio.view_registration",
    "entitlements/": "portfolio.view_entitlements",
    "call-budgets/": "portfolio.view_callbudget",
    "calls/": "portfolio.view_dnbcall",
    "imports/": "portfolio.view_subjectimport",
    "company-searches/": "portfolio.view_companysearch",
    "references/": "portfolio.view_externalreference",
    "exposures/": "portfolio.view_exposure",
    "decisions/": "monitoring.view_decision",
    "data-fetches/": "monitoring.view_datafetch",
    "family-trees/": "monitoring.view_familytree",
    "companies/804735132/family-tree/": "monitoring.view_familytree",
    "companies/804735132/upward-chain/": "monitoring.view_familytree",
    "reference-data/": "portfolio.view_referencelist",
    "event-types/": "monitoring.view_webhookendpoint",
    "portfolio/risk/": "portfolio.view_company",
    "portfolio/review/": "portfolio.view_contract",
    "portfolio/review/companies/": "portfolio.view_contract",
    "groups/804735132/": "portfolio.view_company",
    "files/": "monitoring.view_deliveredfile",
    "alerts/": "monitoring.view_alert",
}


def test_no_address_is_left_out_of_the_rights() -> None:
    known = {"duns": "804735132", "reference": "ACME_LOD_01"}
    read = {address.format(**known) for address in addresses("GET") if "{id}" not in address}
    assert RIGHTS.keys() == read


@pytest.mark.parametrize("path", RIGHTS)
def test_staff_who_are_signed_in_see_what_their_role_lets_them(db: None, path: str) -> None:
    delivered(an_update())
    a_tree_of_each_kind("804735132")
    assert a_signed_in_person(RIGHTS[path]).get(path).status_code == 200
    others = sorted(set(RIGHTS.values()) - {RIGHTS[path]})
    assert a_signed_in_person(*others, name="bob").get(path).status_code == 403


def test_people_who_are_no_longer_staff_or_active(db: None) -> None:
    person = a_signed_in_person("monitoring.view_change")
    User.objects.update(is_staff=False)
    assert person.get("changes/").status_code == 403
    User.objects.update(is_staff=True, is_active=False)
    assert person.get("changes/").status_code == 401


def test_a_person_needs_the_token_of_the_page_for_writes(db: None) -> None:
    """A page elsewhere cannot make a browser write."""
    person = a_signed_in_person("portfolio.view_company")
    person.client.handler.enforce_csrf_checks = True
    answer = person.post("companies/lookup/", {"duns": ["804735132"]})
    assert answer.status_code == 403
    assert "CSRF" in answer.json()["detail"]


WRITES: dict[str, tuple[str, str, Any]] = {
    "request": ("POST", "registrations/ACME_LOD_01/subjects/", {"subjects": [{"duns": "804735132"}]}),
    "withdraw": ("DELETE", "registrations/ACME_LOD_01/subjects/?duns=804735132", None),
    "adopt": ("POST", "registrations/ACME_LOD_01/adoption/", {"companies": 0}),
    "pull": ("POST", "registrations/ACME_LOD_01/pull/", None),
    "name": ("PUT", "references/", {"references": [{"duns": "804735132", "system": "crm", "id": "1"}]}),
    "unname": ("DELETE", "references/?system=crm&id=1", None),
    "put at stake": ("PUT", "exposures/", {"exposures": []}),
    "take off": ("DELETE", "exposures/?company=804735132&book=orders", None),
    "decide on a company": ("POST", "decisions/", {"duns": "804735132", "kind": "stop", "reason": "", "after": 0}),
    "set tiers": ("PUT", "tiers/", {"tiers": []}),
    "set budget": ("PUT", "call-budgets/", {"kind": "match", "limit": 500}),
    "confirm list": ("POST", "files/019b95d1-5000-7c55-9d0a-2a4f4b0c9a11/confirm/", {"gone": 0}),
    "upload": ("POST", "files/?name=ACME_LOD_01_20260108110647_NOTIFICATION_1.zip", None),
    "confirm": ("POST", "imports/019b95d1-5000-7c55-9d0a-2a4f4b0c9a11/confirm/", {"number": 1}),
    "search": ("POST", "company-searches/", {"name": "Acme"}),
    "decide": ("POST", "company-searches/019b95d1-5000-7c55-9d0a-2a4f4b0c9a11/decision/", {"duns": None}),
    "find candidates": ("POST", "imports/019b95d1-5000-7c55-9d0a-2a4f4b0c9a11/candidates/", {"confirm_calls": {}}),
    "reopen decision": ("DELETE", "company-searches/019b95d1-5000-7c55-9d0a-2a4f4b0c9a11/decision/", None),
    "stop candidates": ("POST", "imports/019b95d1-5000-7c55-9d0a-2a4f4b0c9a11/candidates/stop/", None),
    "add candidates": ("POST", "imports/019b95d1-5000-7c55-9d0a-2a4f4b0c9a11/candidates/add/", None),
    "fetch": ("POST", "data-fetches/", {"companies": ["804735132"], "confirm_calls": {}}),
    "accept": ("POST", "data-fetches/019b95d1-5000-7c55-9d0a-2a4f4b0c9a11/accept/", {}),
    "discard": ("POST", "data-fetches/019b95d1-5000-7c55-9d0a-2a4f4b0c9a11/discard/", {}),
    "stop": ("POST", "data-fetches/019b95d1-5000-7c55-9d0a-2a4f4b0c9a11/stop/", None),
    "resume": ("POST", "data-fetches/019b95d1-5000-7c55-9d0a-2a4f4b0c9a11/resume/", {"confirm_calls": {}}),
    "fetch tree": ("POST", "family-trees/", {"kind": "full", "companies": ["804735132"], "confirm_calls": {}}),
    "stop tree": ("POST", "family-trees/019b95d1-5000-7c55-9d0a-2a4f4b0c9a11/stop/", None),
    "discard tree": ("POST", "family-trees/019b95d1-5000-7c55-9d0a-2a4f4b0c9a11/discard/", None),
    "resume tree": ("POST", "family-trees/019b95d1-5000-7c55-9d0a-2a4f4b0c9a11/resume/", {"confirm_calls": {}}),
    "fetch words": ("POST", "reference-data/fetch/", {"confirm_calls": {"reference_data": 1}}),
    "lookup": ("POST", "companies/lookup/", {"duns": ["804735132"]}),
    "acknowledge": ("POST", "alerts/019b95d1-5000-7c55-9d0a-2a4f4b0c9a11/acknowledge/", None),
    "close": ("POST", "alerts/019b95d1-5000-7c55-9d0a-2a4f4b0c9a11/close/", None),
    "reopen": ("POST", "alerts/019b95d1-5000-7c55-9d0a-2a4f4b0c9a11/reopen/", None),
    "snooze": ("POST", "alerts/019b95d1-5000-7c55-9d0a-2a4f4b0c9a11/snooze/", None),
    "wake": ("POST", "alerts/019b95d1-5000-7c55-9d0a-2a4f4b0c9a11/wake/", None),
    "assign": ("POST", "alerts/019b95d1-5000-7c55-9d0a-2a4f4b0c9a11/assign/", {"assignee": None}),
    "change many": ("POST", "alerts/bulk/", {"action": "wake", "alerts": []}),
}
ONLY_PEOPLE = ("adopt", "set budget", "confirm list", "confirm", "decide", "reopen decision", "add candidates")
OPENS = {
    "read": {"lookup"},
    "write:portfolio": {"request", "withdraw"},
    "write:references": {"name", "unname"},
    "read:exposure": set(),
    "write:exposure": {"put at stake", "take off"},
    "read:decisions": set(),
    "write:decisions": {"decide on a company"},
    "write:tiers": {"set tiers"},
    "search:companies": {"search", "find candidates", "stop candidates"},
    "write:files": {"upload"},
    "fetch:reference_data": {"fetch words"},
    "pull": {"pull"},
    "fetch": {
        *("fetch", "accept", "discard", "stop", "resume", "fetch tree", "stop tree", "discard tree", "resume tree"),
    },
    "alerts": {"acknowledge", "close", "reopen", "snooze", "wake", "assign", "change many"},
    "metrics": set(),
    "": set(),
}


@pytest.mark.parametrize("scope", OPENS)
def test_a_scope_opens_its_own_and_nothing_else(a_program: Callable[..., Program], scope: str) -> None:
    a_registration()
    program = a_program(scopes=scope)
    opened = {name for name, (method, path, body) in WRITES.items() if is_open(program.send(method, path, body))}
    assert opened == OPENS[scope]
    apart = {
        "alerts": {"alerts/"},
        "read:exposure": {"exposures/"},
        "read:decisions": {"decisions/"},
    }
    readable = {"read": set(RIGHTS) - set().union(*apart.values()), **apart}
    assert {path for path in RIGHTS if is_open(program.get(path))} == readable.get(scope, set())
    assert not Subject.objects.filter(requested=True).exists()


def test_every_address_is_tried_with_every_scope() -> None:
    """What is new in the API has to be named here."""
    names = {"ACME_LOD_01": "{reference}", "804735132": "{duns}", "019b95d1-5000-7c55-9d0a-2a4f4b0c9a11": "{id}"}

    def operation(method: str, path: str) -> str:
        for name, placeholder in names.items():
            path = path.replace(name, placeholder)
        return f"{method} {path.partition('?')[0]}"

    tried = {operation(method, path) for method, path, _ in WRITES.values()}
    tried |= {operation("GET", path) for path in RIGHTS}
    entries = {"GET alerts/{id}/", "GET changes/{id}/", "GET imports/{id}/"}
    entries |= {"GET files/{id}/", "GET files/{id}/confirm/"}
    entries |= {"GET imports/{id}/candidates/", "GET company-searches/{id}/", "GET decisions/{id}/"}  # as their lists
    entries |= {f"GET data-fetches/{{id}}/{more}" for more in ("", "companies/", "companies/{duns}/")}
    entries |= {f"GET family-trees/{{id}}/{more}" for more in ("", "members/")}
    assert tried | entries == set(operations())


def is_open(answer: Any) -> bool:
    assert answer.status_code < 500
    return bool(answer.status_code != 403)


# Where a user does it.
PAGES = {
    "imports": "portfolio/subjectimport",
    "company-searches": "portfolio/companysearch",
    "files": "monitoring/deliveredfile",
}


@pytest.mark.parametrize("name", ONLY_PEOPLE)
def test_no_key_does_what_takes_a_person(a_program: Callable[..., Program], name: str) -> None:
    method, path, body = WRITES[name]
    program = a_program(scopes=",".join(SCOPES))
    ApiKey.objects.update(scopes=",".join([*SCOPES, "write", "confirm", ""]))
    answer = program.send(method, path, body)
    assert answer.status_code == 403
    kind, key, *_ = path.split("/")
    page = f" The page is http://localhost:8000/{PAGES[kind]}/{key}/change/" if kind in PAGES else ""
    assert answer.json()["detail"] == f"API keys cannot do this. A user has to sign in.{page}"


def test_every_scope_opens_something_and_what_is_asked_for_is_one() -> None:
    """The table on the page where keys are made is the whole of it."""
    views: list[Any] = [pattern.callback.cls for pattern in v1]  # type: ignore[union-attr]
    asked = {scope_of(view, "GET") for view in views if hasattr(view, "get")}
    asked |= {scope for view in views for scope in getattr(view, "scopes", {}).values() if scope}
    assert asked | {"metrics"} == set(SCOPES)


@pytest.mark.parametrize(
    ("method", "path", "scope"),
    [("GET", "alerts/", "alerts"), ("POST", "registrations/ACME_LOD_01/pull/", "pull"),
     ("POST", "registrations/ACME_LOD_01/subjects/", "write:portfolio"), ("PUT", "references/", "write:references")],
)  # fmt: skip
def test_a_403_names_the_scope_that_is_missing(program: Program, method: str, path: str, scope: str) -> None:
    a_registration()
    ApiKey.objects.update(scopes="read, write")
    answer = program.send(method, path)
    assert answer.status_code == 403
    words = f"This API key needs the scope “{scope}”. Its scopes are: read, write. An administrator can add it"
    assert answer.json()["detail"].startswith(words)
    assert answer["WWW-Authenticate"] == f'Bearer realm="api", error="insufficient_scope", scope="{scope}"'


def test_a_403_names_the_right_that_a_role_lacks(db: None) -> None:
    detail = a_signed_in_person().get("alerts/").json()["detail"]
    assert detail.startswith("Your roles do not include the permission “monitoring.view_alert”.")


def test_the_first_key_can_do_what_the_docs_invite_to_try(db: None) -> None:
    a_registration()
    program = Program(Client(), {"Authorization": f"Bearer {give_first_access().api_key}"})
    refused = [name for name, (verb, path, body) in WRITES.items() if not is_open(program.send(verb, path, body))]
    assert refused == [*ONLY_PEOPLE], "which no key may"
    assert [path for path in RIGHTS if not is_open(program.get(path))] == []
    assert program.client.get("/metrics", headers=program.headers).status_code == 200
    assert not Subject.objects.filter(requested=True).exists(), "its budget is 0: a person confirms what costs money"


def test_a_rotated_key_goes_on_for_a_while(db: None) -> None:
    row, old = ApiKey.issue(name="data warehouse", scopes="read")
    new = row.rotate(overlap=timedelta(days=7))
    assert old != new
    assert [opens(key) for key in (old, new)] == [True, True]
    with time_machine.travel(timezone.now() + timedelta(days=8)):
        assert [opens(key) for key in (old, new)] == [False, True]
        assert "was replaced by a new one, and ended on" in why_refused(old)
    row.rotate(overlap=timedelta(0))
    assert [opens(key) for key in (old, new)] == [False, False]


def test_revoking_ends_both_keys_of_a_rotation(db: None) -> None:
    row, old = ApiKey.issue(name="data warehouse", scopes="read")
    new = row.rotate()
    row.revoke()
    assert [opens(key) for key in (old, new)] == [False, False]


def opens(plain: str) -> bool:
    return Client().get("/api/v1/changes/", headers={"Authorization": f"Bearer {plain}"}).status_code == 200


def test_a_wrong_key_is_refused_even_for_staff(client: Client) -> None:
    client.force_login(User.objects.create_user("ann", is_staff=True))
    assert client.get("/api/v1/changes/", headers={"Authorization": "Bearer x"}).status_code == 401
