"""Which version runs: people see it on every page, on health and by `manage.py --version`; strangers do not."""

import os
import subprocess
from pathlib import Path

import pytest
from django.conf import settings
from django.test import Client

from dnbmon_site import version
from dnbmon_site.accounts.models import User
from tests.support import ROOT, manage

COMMIT = "3f2a91c07bd1"


def a_commit(folder: Path, *more: str) -> str:
    env = {"PATH": os.environ["PATH"], "HOME": str(folder), "GIT_CONFIG_NOSYSTEM": "1"}
    known = ("-c", "user.name=A", "-c", "user.email=a@example.com", "-c", "init.defaultBranch=main")
    for arguments in (("init", "-q"), ("commit", "-q", "--allow-empty", "-m", "one"), *(one.split() for one in more)):
        subprocess.run(["git", *known, *arguments], cwd=folder, env=env, check=True, capture_output=True)
    done = subprocess.run(["git", "rev-parse", "HEAD"], cwd=folder, env=env, check=True, capture_output=True, text=True)
    return done.stdout.strip()


@pytest.mark.parametrize("more", [[], ["pack-refs --all"], ["checkout -q --detach"]], ids=str)
def test_the_commit_is_read_from_what_is_checked_out(more: list[str], tmp_path: Path) -> None:
    commit = a_commit(tmp_path, *more)
    assert version.checked_out_commit(tmp_path / ".git") == commit


def test_in_a_further_worktree_too(tmp_path: Path) -> None:
    first = tmp_path / "first"
    first.mkdir()
    commit = a_commit(first, "worktree add ../second")
    assert version.checked_out_commit(tmp_path / "second" / ".git") == commit


def test_where_there_is_no_git_the_packed_commit_counts_or_none(tmp_path: Path) -> None:
    assert version.checked_out_commit(tmp_path / ".git") == ""
    packed = tmp_path / "commit.txt"
    assert version.packed_commit(packed) == ""
    packed.write_text("$Format:%H$\n")
    assert version.packed_commit(packed) == ""
    packed.write_text(f"{COMMIT}\n")
    assert version.packed_commit(packed) == COMMIT


def test_an_archive_of_git_says_of_which_commit_it_is(tmp_path: Path) -> None:
    for name in (".gitattributes", "dnbmon_site/commit.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text((ROOT / name).read_text())
    commit = a_commit(tmp_path, "add .", "commit -q -m two")
    archive = subprocess.run(["git", "archive", "HEAD"], cwd=tmp_path, check=True, capture_output=True).stdout
    assert commit.encode() in archive


def test_the_command_says_it_where_nothing_is_set_up() -> None:
    done = manage("--version", env={"PATH": os.environ["PATH"], "ENVIRONMENT": "production"})
    assert (done.returncode, done.stdout.strip()) == (0, version.version())


@pytest.mark.django_db
def test_pages_and_health_say_it_to_people_who_are_signed_in(client: Client) -> None:
    assert settings.VERSION not in client.get("/login/").text
    client.force_login(User.objects.create_superuser("ann", "ann@example.com", "secret words"))
    for page in ("/", "/portfolio/company/", "/accounts/user/add/", "/my/", "/health/"):
        assert f"version {settings.VERSION}" in client.get(page).text, page
    assert client.get("/health/", headers={"Accept": "application/json"}).json()["version"] == settings.VERSION
