"""The doctor: everything that is wrong, each with what to do; nothing where all is well."""

import grp
import os
import stat
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import requests
from django.core.management import call_command
from django.utils import timezone

from core.encryption import encrypted
from direct_plus.sandbox.run import start_sandbox
from dnbmon_site.accounts.models import ApiKey, User
from dnbmon_site.operations.doctor import api_keys, dnb, examine, machine
from health.models import JOBS, Heartbeat
from monitoring.models import Channel, Delivery, DeliveryState, WebhookEndpoint
from monitoring.outbox.addresses import set_address
from portfolio.dnb_client import SharedTokens, refusal_of_key
from portfolio.models import Registration, RegistrationState
from tests.builders.contracts import a_contract
from tests.builders.deliveries import a_delivery
from tests.builders.notifications import an_update
from tests.builders.registrations import a_registration

pytestmark = pytest.mark.django_db
OURS, THEIRS = "rrt-00000000000000ff-b-eu-1-2-14", "rrt-0abc-b-eu-1-2-14"


@pytest.fixture(autouse=True)
def account(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, settings: Any) -> Iterator[None]:
    for name in ("DNB_API_KEY", "DNB_API_SECRET"):
        monkeypatch.setenv(name, "set")
    settings.VAR_DIR = tmp_path
    monkeypatch.setattr(dnb, "refusal_of_key", lambda contract: None)
    answer = requests.Response()
    monkeypatch.setattr("requests.head", lambda *_, **__: answer)
    yield


def said(look: examine.Look) -> str:
    return " | ".join(f"{finding.what} → {finding.do}" for finding in look())


def a_beat(**ago: float) -> None:
    Heartbeat.objects.create(id=Heartbeat.key(JOBS), name=JOBS, at=timezone.now() - timedelta(**ago))


def pulled(transaction: str) -> Delivery:
    delivery = a_delivery(an_update())
    Delivery.objects.filter(pk=delivery.pk).update(transaction_id=transaction, state=DeliveryState.PUBLISHED)
    return delivery


def test_where_all_is_well_it_ends_with_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    a_beat(seconds=10)
    a_contract()
    call_command("doctor")
    out = capsys.readouterr().out
    assert "No problems found." in out and "problem " not in out


def test_what_is_wrong_is_told_with_what_to_do_and_ends_with_one(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        call_command("doctor")
    assert ended.value.code == 1
    assert (
        "No job has run yet." in (out := capsys.readouterr().out) and "→ Start D&B Monitoring with “make start”" in out
    )


def test_missing_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    a_contract()
    monkeypatch.delenv("DNB_API_SECRET")
    assert "DNB_API_SECRET is not set" in said(dnb.contracts)


def test_made_up_data_with_the_real_address(monkeypatch: pytest.MonkeyPatch) -> None:
    pulled(OURS)
    monkeypatch.setenv("DNB_BASE_URL", "https://plus.dnb.com")
    assert "contains sandbox notifications" in said(dnb.contracts)
    monkeypatch.setenv("DNB_BASE_URL", "http://127.0.0.1:8100")
    assert said(dnb.contracts) == ""


def test_real_data_with_the_address_of_a_sandbox(monkeypatch: pytest.MonkeyPatch) -> None:
    pulled(THEIRS)
    monkeypatch.setenv("DNB_BASE_URL", "http://127.0.0.1:8100")
    assert "contains real notifications" in said(dnb.contracts)
    monkeypatch.setenv("DNB_BASE_URL", "https://plus.dnb.com")
    assert said(dnb.contracts) == ""


def test_the_demo_with_the_real_address(monkeypatch: pytest.MonkeyPatch, settings: Any) -> None:
    a_contract()
    settings.DEMO = True
    monkeypatch.setenv("DNB_BASE_URL", "https://plus.dnb.com")
    assert "The demo uses D&B's real address." in said(dnb.contracts)


def test_a_sandbox_address_in_production(monkeypatch: pytest.MonkeyPatch, settings: Any) -> None:
    a_contract()
    settings.PRODUCTION = True
    monkeypatch.setenv("DNB_BASE_URL", "https://sandbox.example.com")
    assert "in production, which is not D&B" in said(dnb.contracts)


def test_a_full_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "LEAST_FREE", 10**18)
    assert "Free up at least 1 GB" in said(machine.disk)


def a_secret(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mode: int, owner: int, group: int) -> Path:
    secret = tmp_path / "secret_key"
    secret.write_text("s")
    secret.chmod(mode)
    monkeypatch.setenv("SECRET_KEY_FILE", str(secret))
    found = SimpleNamespace(st_mode=stat.S_IFREG | mode, st_uid=owner, st_gid=group)
    original = Path.stat
    monkeypatch.setattr(Path, "stat", lambda path, **how: found if path == secret else original(path, **how))
    monkeypatch.setattr("os.geteuid", lambda: 990)
    monkeypatch.setattr("os.getegid", lambda: os.getgid())
    monkeypatch.setattr("os.getgroups", lambda: [os.getgid()])
    return secret


def test_a_secret_that_others_may_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    secret = a_secret(tmp_path, monkeypatch, 0o640, owner=990, group=os.getgid())
    assert f"chmod 600 {secret}" in said(machine.permissions)


def test_a_secret_of_its_own_is_as_it_should_be(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    a_secret(tmp_path, monkeypatch, 0o600, owner=990, group=os.getgid())
    assert said(machine.permissions) == ""


def test_the_file_of_settings_may_hold_passwords_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Such as DATABASE_URL's."""
    file = tmp_path / "production.env"
    file.write_text("")
    file.chmod(0o644)
    monkeypatch.setenv("ENV_FILE", str(file))
    assert f"Other users can read {file}" in said(machine.permissions)
    file.chmod(0o600)
    assert said(machine.permissions) == ""


def test_a_secret_of_root_that_the_services_group_reads_is_as_it_should_be(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As docs/operate/deployment.md has it; chmod 600 would take it from the program."""
    a_secret(tmp_path, monkeypatch, 0o640, owner=0, group=os.getgid())
    assert said(machine.permissions) == ""


@pytest.mark.parametrize("is_in_group", [True, False])
def test_what_is_advised_leaves_the_program_able_to_read(
    is_in_group: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    group = os.getgid() if is_in_group else os.getgid() + 12345
    secret = a_secret(tmp_path, monkeypatch, 0o644, owner=0, group=group)
    name = grp.getgrgid(os.getgid()).gr_name
    advised = f"chmod 640 {secret}" if is_in_group else f"chgrp {name} {secret} && chmod 640 {secret}"
    assert said(machine.permissions).endswith(f"→ {advised}")


def test_a_key_that_dnb_does_not_accept(monkeypatch: pytest.MonkeyPatch) -> None:
    """Over the network, though a token of the key before is still good."""
    with start_sandbox() as sandbox:
        monkeypatch.setenv("DNB_BASE_URL", sandbox.url)
        monkeypatch.setenv("DNB_API_KEY", "sandbox-key")
        monkeypatch.setenv("DNB_API_SECRET", "sandbox-secret")
        monkeypatch.setattr(dnb, "refusal_of_key", refusal_of_key)
        assert said(dnb.key) == "", "on a new installation, where there is no row of a contract yet"
        monkeypatch.setenv("DNB_API_KEY", "a-slip")
        assert "D&B does not accept the API key of contract default" in said(dnb.key)
        monkeypatch.setenv("DNB_API_KEY", "sandbox-key")
        contract = a_contract()
        assert said(dnb.key) == "" and SharedTokens(contract).get() is not None
        monkeypatch.setenv("DNB_API_SECRET", "a-slip")
        assert "D&B does not accept the API key of contract" in said(dnb.key) and "DNB_API_SECRET" in said(dnb.key)
        monkeypatch.delenv("DNB_API_SECRET")
        assert said(dnb.key) == "", "that it is missing is said once, by the look before"


def test_another_secret_key_than_the_one_of_before(settings: Any) -> None:
    channel = Channel(name="Credit team")
    set_address(channel, "team@example.com")
    channel.save()
    WebhookEndpoint.objects.create(
        name="CRM", url="https://crm.example.com/", encrypted_secret=encrypted("x"), created_at=timezone.now()
    )
    assert said(machine.stored_secrets) == ""
    settings.SECRET_KEY = "another " * 8
    assert "channel Credit team, webhook CRM" in said(machine.stored_secrets)


def test_a_silent_worker() -> None:
    a_beat(minutes=20)
    assert "No job has run since" in said(machine.worker)


def test_deliveries_that_stand_still() -> None:
    delivery = a_delivery(an_update())
    assert said(machine.stuck) == ""
    Delivery.objects.filter(pk=delivery.pk).update(called_at=timezone.now() - timedelta(hours=2))
    assert "waiting to be processed" in said(machine.stuck)
    Delivery.objects.update(state=DeliveryState.IN_DOUBT, ended_at=timezone.now() - timedelta(hours=7))
    assert "in doubt for over 6 hours" in said(machine.stuck)


def test_redis_that_does_not_answer(settings: Any) -> None:
    settings.REDIS_URL = "redis://127.0.0.1:9/0"
    assert "Redis does not respond" in said(machine.queue)


def test_sqlite_in_a_network_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(machine, "sqlite_folder", lambda: tmp_path)
    monkeypatch.setattr(machine, "filesystem_of", lambda folder: "nfs4")
    assert "where file locks do not work" in said(machine.network_folder)
    monkeypatch.setattr(machine, "filesystem_of", lambda folder: "ext4")
    assert said(machine.network_folder) == ""


def test_the_file_system_of_a_folder_is_that_of_its_own_mount() -> None:
    assert machine.filesystem_of(Path("/proc/self")) == "proc"


def test_a_clock_that_is_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dnb, "database_now", lambda: timezone.now() + timedelta(minutes=2))
    assert "differ by 120 s" in said(dnb.clock)


def test_no_way_to_dnb(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: Any, **__: Any) -> None:
        raise requests.ConnectionError

    monkeypatch.setattr("requests.head", fails)
    assert "cannot be reached" in said(dnb.clock)


def test_stopped_registrations_and_reading() -> None:
    row = a_registration(stopped_reason="00041: not authorised", ingest_stopped_reason="20 in a row")
    Registration.objects.filter(pk=row.pk).update(state=RegistrationState.STOPPED)
    words = said(dnb.pulling)
    assert "was stopped by D&B: 00041" in words and "Processing of ACME_LOD_01 has stopped" in words


def test_an_installation_that_may_not_pull(settings: Any) -> None:
    a_registration()
    settings.DNB_BASE_URL, settings.DNB_PULL, settings.PRODUCTION = "https://plus.dnb.com", False, False
    assert "DNB_PULL=yes" in said(dnb.pulling)


def test_backups_that_are_missing_or_old(settings: Any, tmp_path: Path) -> None:
    settings.BACKUP_FOLDER = str(tmp_path)
    assert "The latest backup is missing." in said(machine.backups)
    settings.BACKUP_FOLDER, settings.PRODUCTION = "", True
    assert "BACKUP_FOLDER is not set." in said(machine.backups)


def test_settings_that_cannot_be_meant(settings: Any) -> None:
    settings.DNB_TIMEOUT, settings.DNB_CALLS_PER_SECOND = 0, 50
    words = said(machine.environment)
    assert "DNB_TIMEOUT is 0" in words and "DNB_CALLS_PER_SECOND is 50" in words


def test_keys_with_scopes_that_do_not_exist() -> None:
    ApiKey.issue(name="CRM", scopes="read", created_by=User.objects.create_user("ann"))
    assert said(api_keys.api_keys) == ""
    ApiKey.objects.update(scopes="read, write")
    words = said(api_keys.api_keys)
    assert "do not exist: write." in words and "API key CRM (dnbmon_" in words


def test_keys_whose_issuer_has_left() -> None:
    bob = User.objects.create_user("bob")
    key, _ = ApiKey.issue(name="CRM", scopes="read", created_by=User.objects.create_user("ann"))
    User.objects.filter(username="ann").update(is_active=False)
    assert "issued by ann, who is no longer active. It still works" in said(api_keys.api_keys)
    key.rotate(by=bob)
    assert said(api_keys.api_keys) == ""
    bob.delete()
    assert "issued by a user who was deleted" in said(api_keys.api_keys)
    ApiKey.objects.get().revoke()
    assert said(api_keys.api_keys) == ""


def test_a_database_that_is_away_or_old_hides_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    looks = [
        ("database", machine.database, False),
        ("migrations", machine.migrations, True),
        ("worker", machine.worker, True),
    ]
    monkeypatch.setattr(examine, "LOOKS", tuple(looks))
    monkeypatch.setattr(machine, "migrations_waiting", lambda: True)
    assert [(name, len(found)) for name, found in examine.examine()] == [("database", 0), ("migrations", 1)]
