"""The program as an app on a phone: what a browser asks for before it offers that."""

import json
from pathlib import Path
from typing import Any

import pytest
from django.contrib.staticfiles import finders
from django.test import Client

pytestmark = pytest.mark.django_db


def size_of(png: bytes) -> str:
    assert png[:8] == b"\x89PNG\r\n\x1a\n"
    return f"{int.from_bytes(png[16:20], 'big')}x{int.from_bytes(png[20:24], 'big')}"


def test_the_manifest_names_icons_that_are_there(client: Client) -> None:
    answer = client.get("/manifest.webmanifest")
    told: dict[str, Any] = json.loads(answer.content)
    assert answer["Content-Type"] == "application/manifest+json"
    assert told["display"] == "standalone" and told["start_url"] == "/"
    for icon in told["icons"]:
        found = finders.find(icon["src"].removeprefix("/static/"))
        assert found and size_of(Path(found).read_bytes()) == icon["sizes"]
    assert {"192x192", "512x512"} <= {icon["sizes"] for icon in told["icons"]}
    assert "maskable" in {icon["purpose"] for icon in told["icons"]}


def test_pages_lead_to_it(client: Client) -> None:
    page = client.get("/login/").content.decode()
    assert 'rel="manifest" href="/manifest.webmanifest"' in page
    assert 'rel="apple-touch-icon"' in page and "dnbmon/install.js" in page


def test_the_worker_keeps_one_page_and_no_data(client: Client) -> None:
    answer = client.get("/service-worker.js")
    script = answer.content.decode()
    assert answer["Content-Type"].startswith("text/javascript") and "no-cache" in answer["Cache-Control"]
    assert "connect-src 'self'" in answer["Content-Security-Policy"]
    assert script.count("cache.add") == 1 and "cache.put" not in script
    assert "You are offline" in client.get("/offline").content.decode()
