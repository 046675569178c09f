"""Where `up` says that the program answers, and where the links in its messages lead."""

from pathlib import Path

import pytest

from dnbmon_site.management.commands.up import demo_plan, own_plan
from tests.support import free_port


@pytest.mark.parametrize("host", ["127.0.0.1", "0.0.0.0", "::1", "demo.example.com"])
def test_links_in_messages_lead_to_the_address_that_is_printed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, host: str
) -> None:
    """Under another name of this machine the browser would be signed out."""
    monkeypatch.delenv("SITE_URL", raising=False)
    for plan in (demo_plan(tmp_path, host, free_port()), own_plan(host, free_port())):
        assert f"{plan.env['SITE_URL']}/" == plan.url
