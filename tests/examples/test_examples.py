"""The examples of the docs, run as their readers run them."""

import ast
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import requests

from dnbmon_site.accounts.models import ApiKey
from monitoring.models import Publication
from monitoring.webhooks.endpoints import create_endpoint
from monitoring.webhooks.send import send_test
from portfolio.models import Company
from tests.builders.deliveries import delivered
from tests.builders.elements import an_element
from tests.builders.notifications import a_seed, an_update
from tests.builders.times import stamp
from tests.support import ROOT, free_port, program, wait_for_port, wait_until

EXAMPLES = ROOT / "examples"
LONGEST = {"crm_sync.py": 30, "webhook_receiver.py": 20}


@pytest.mark.parametrize("name", LONGEST)
def test_they_are_as_short_as_the_docs_say(name: str) -> None:
    """Of code: without the words at the top and empty lines."""
    text = (EXAMPLES / name).read_text()
    words = ast.get_docstring(ast.parse(text), clean=False) or ""
    code = [line for line in text.replace(words, "").splitlines() if line.strip(' "')]
    assert len(code) <= LONGEST[name]


@pytest.mark.parametrize("name", LONGEST)
def test_the_docs_show_them_as_they_are(name: str) -> None:
    page = (ROOT / "docs" / "integrate" / ("integration.md" if name == "crm_sync.py" else "webhooks.md")).read_text()
    assert (EXAMPLES / name).read_text().strip() in page


class Crm:
    """The example in a directory of its own."""

    def __init__(self, url: str, key: str, place: Path) -> None:
        self.place = place
        self.env = {**os.environ, "DNBMON_URL": url, "DNBMON_KEY": key, "PLACE": str(place)}

    def run(self) -> int:
        command = [sys.executable, str(EXAMPLES / "crm_sync.py")]
        process = subprocess.Popen(command, env=self.env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        return process.wait(60)

    def names(self) -> dict[str, str]:
        known = json.loads(self.place.read_text())["companies"]
        return {duns: company["name"] for duns, company in known.items()}


@pytest.mark.django_db(transaction=True)
def test_a_crm_is_kept_up_to_date(live_server: Any, tmp_path: Path) -> None:
    for number in range(1, 4):
        delivered(a_seed(f"00000000{number}", primaryName=f"Old {number}"))
    _, key = ApiKey.issue(name="CRM", scopes="read")
    crm = Crm(live_server.url, key, tmp_path / "crm.json")
    assert crm.run() == 0
    assert crm.names() == {f"00000000{number}": f"Old {number}" for number in range(1, 4)}

    delivered(
        an_update(an_element(current="New 2", timestamp=stamp(days=9)), duns="000000002"),
        a_seed("000000004", primaryName="Came later"),
    )
    assert crm.run() == 0
    assert crm.names() == dict(Company.objects.values_list("duns", "name"))
    assert crm.names()["000000002"] == "New 2"

    Publication.objects.all().delete()
    assert crm.run() == 1, "the feed cannot go on"
    assert crm.run() == 0, "and begins with a snapshot"
    assert crm.names() == dict(Company.objects.values_list("duns", "name"))


@pytest.mark.django_db
def test_a_receiver_checks_and_leaves_out_what_it_had(tmp_path: Path, settings: Any) -> None:
    settings.PRIVATE_HOSTS = ["*"]
    port = free_port()
    endpoint, secret = create_endpoint(made_by="ann", name="CRM", url=f"http://127.0.0.1:{port}/")
    env = {**os.environ, "WEBHOOK_SECRET": secret, "PORT": str(port)}
    with program(sys.executable, EXAMPLES / "webhook_receiver.py", env=env, log=tmp_path / "log") as running:
        wait_for_port(port)
        assert send_test(endpoint).status == 204
        wait_until(lambda: "webhook.test" in running.said, what="the message")
        assert requests.post(endpoint.url, data=b"{}", timeout=5).status_code == 401
        assert running.said.count("webhook.test") == 1


def test_the_process_flow_ends_with_ledger_and_database_equal() -> None:
    command = [sys.executable, str(EXAMPLES / "monitoring_process_flow_demo.py"), "--step"]
    done = subprocess.run(command, cwd=ROOT, input="\n" * 3, capture_output=True, text=True, timeout=240)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "missing: 0   doubled or invented: 0" in done.stdout
    assert done.stdout.rstrip().endswith("ledger = database")
    assert "Critical" in done.stdout
    assert done.stdout.count("[Enter]") == 9, "it waits at each step, and goes on where nobody is there"
