"""The one client: credentials from settings, token and throttle from rows that all processes share."""

import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection

from direct_plus.sandbox.run import Sandbox, start_sandbox
from direct_plus.token_store import Token
from portfolio.dnb_client import NotConfigured, SharedThrottle, SharedTokens, client_for, credentials, is_real
from portfolio.models import AccessToken, Contract, Registration, RegistrationState
from portfolio.registrations.discover import discover_registrations
from tests.builders.contracts import a_contract


@pytest.fixture
def sandbox(monkeypatch: pytest.MonkeyPatch) -> Iterator[Sandbox]:
    with start_sandbox() as running:
        monkeypatch.setenv("DNB_BASE_URL", running.url)
        monkeypatch.setenv("DNB_API_KEY", "sandbox-key")
        monkeypatch.setenv("DNB_API_SECRET", "sandbox-secret")
        yield running


@pytest.fixture
def contract(db: None) -> Contract:
    return a_contract()


def later(**span: float) -> datetime:
    return datetime.now(UTC) + timedelta(**span)


def token_calls(sandbox: Sandbox) -> int:
    return sum(call["kind"] == "token" for call in sandbox.control.calls())


def test_one_token_serves_every_client(contract: Contract, sandbox: Sandbox) -> None:
    client_for(contract).registrations()
    client_for(contract).registrations()
    assert token_calls(sandbox) == 1


@pytest.mark.parametrize("version", ["2", "3"])
def test_both_token_calls(contract: Contract, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, version: str) -> None:
    monkeypatch.setenv("DNB_TOKEN_VERSION", version)
    client_for(contract).registrations()
    assert sandbox.control.calls()[0]["path"] == f"/v{version}/token"


def test_the_token_is_kept_encrypted(contract: Contract, sandbox: Sandbox, settings: Any) -> None:
    client_for(contract).registrations()
    token = SharedTokens(contract).get()
    assert token is not None
    assert token.value not in AccessToken.objects.get().encrypted
    settings.SECRET_KEY = "another key " * 5
    assert SharedTokens(contract).get() is None
    client_for(contract).registrations()
    assert token_calls(sandbox) == 2


def test_a_renewal_is_one_processs_and_ends_by_itself(contract: Contract) -> None:
    tokens = SharedTokens(contract)
    assert tokens.begin_renewal()
    assert not SharedTokens(contract).begin_renewal()
    AccessToken.objects.update(renewal_until=later(seconds=-1))
    assert tokens.begin_renewal(), "a killed process leaves no lock behind"
    tokens.end_renewal()
    assert tokens.begin_renewal()
    tokens.put(Token("secret", later(hours=24)))
    assert tokens.begin_renewal()


def test_a_refused_token_is_forgotten_but_not_the_one_that_came_after_it(contract: Contract) -> None:
    tokens = SharedTokens(contract)
    old, new = Token("old", later(hours=1)), Token("new", later(hours=24))
    tokens.put(new)
    tokens.forget(old)
    kept = tokens.get()
    assert kept is not None
    assert kept.value == "new"
    tokens.forget(new)
    assert tokens.get() is None


def test_further_contracts_have_their_own_prefix(contract: Contract, monkeypatch: pytest.MonkeyPatch) -> None:
    other = a_contract(name="other", prefix="OTHER")
    monkeypatch.setenv("OTHER_API_KEY", "k")
    with pytest.raises(NotConfigured, match="OTHER_API_SECRET"):
        credentials(other)
    monkeypatch.setenv("OTHER_API_SECRET", "s")
    assert (credentials(other).key, credentials(other).secret) == ("k", "s")


def test_a_mounted_secret_is_read_again(
    contract: Contract, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    secret = tmp_path / "secret"
    secret.write_text("sandbox-secret")
    monkeypatch.delenv("DNB_API_SECRET")
    monkeypatch.setenv("DNB_API_SECRET_FILE", str(secret))
    client = client_for(contract)
    client.registrations()
    sandbox.control.set_credentials("sandbox-key", "rotated")
    sandbox.control.expire_tokens()
    secret.write_text("rotated")
    assert client.registrations() == []


@pytest.mark.parametrize(
    ("url", "real"),
    [
        ("https://plus.dnb.com", True),
        ("https://PLUS.DNB.COM/", True),
        ("http://127.0.0.1:8001", False),
        ("https://notdnb.com", False),
        ("https://example.com\\@plus.dnb.com", False),
        ("https://[", False),
    ],
)
def test_knows_the_real_d_and_b(url: str, real: bool) -> None:
    assert is_real(Contract(base_url=url)) is real


# The last two name D&B to one reader of addresses, and another host to the one that connects.
ELSEWHERE = (
    *(
        "https://plus.dnb.com.example.com",
        "http://plus.dnb.com",
        "https://example.com",
        "https://plus.dnb.com@example.com",
    ),
    *("https://example.com\\@plus.dnb.com", "https://example.com\\.dnb.com"),
)


def test_d_and_bs_account_is_shown_to_d_and_b_or_where_the_settings_say(contract: Contract, settings: Any) -> None:
    settings.DEVELOPMENT = False
    client_for(contract)
    for address in ELSEWHERE:
        contract.base_url = address
        with pytest.raises(NotConfigured, match="is not an address of D&B"):
            client_for(contract)
        with pytest.raises(NotConfigured, match="DNB_BASE_URL"):
            credentials(contract)
    contract.base_url = "https://plus.dnb.com"
    client_for(contract)


def test_slots_are_a_little_over_a_fifth_of_a_second_apart(contract: Contract) -> None:
    throttle = SharedThrottle(contract)
    assert throttle.spacing == 210
    start = time.monotonic()
    for _ in range(4):
        throttle.wait()
    assert 0.6 < time.monotonic() - start < 3


@pytest.mark.django_db(transaction=True)
def test_no_two_take_one_slot(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "sleep", lambda seconds: None)
    contract = a_contract()
    slots: list[int] = []

    def take() -> None:
        try:
            throttle = SharedThrottle(contract)
            slots.extend(throttle._take()[0] for _ in range(10))
        finally:
            connection.close()

    threads = [threading.Thread(target=take) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    gaps = [two - one for one, two in zip(sorted(slots), sorted(slots)[1:], strict=False)]
    assert len(slots) == 40
    assert min(gaps) >= 210


def test_discovers_registrations_paused_and_not_adopted(contract: Contract, sandbox: Sandbox) -> None:
    sandbox.control.add_registration("ONE", description="Suppliers")
    sandbox.control.add_registration("TWO", notificationType="FULL_PRODUCT")
    found = discover_registrations(contract)
    assert sorted(found.new) == ["ONE", "TWO"]
    row = Registration.objects.get(reference="ONE")
    assert (row.state, row.adopted, "Suppliers" in row.detail) == (RegistrationState.PAUSED, False, True)
    assert row.dnb_time is not None
    assert discover_registrations(contract).new == []


def test_discovering_again_keeps_what_people_have_set(contract: Contract, sandbox: Sandbox) -> None:
    sandbox.control.add_registration("ONE")
    discover_registrations(contract)
    Registration.objects.update(state=RegistrationState.ACTIVE, cadence_every=17)
    discover_registrations(contract)
    row = Registration.objects.get()
    assert (row.state, row.cadence_every) == (RegistrationState.ACTIVE, 17)


def test_details_that_cannot_be_read_do_not_stop_the_others(contract: Contract, sandbox: Sandbox) -> None:
    sandbox.control.add_registration("ONE")
    sandbox.control.add_registration("TWO")
    sandbox.control.set_fault("http_error", status=403, code=None, on="details", reference="ONE", times=1)
    found = discover_registrations(contract)
    assert list(found.failed) == ["ONE"]
    assert Registration.objects.exclude(detail="").get().reference == "TWO"
