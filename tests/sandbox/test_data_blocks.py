"""Contract, section 6: what is useful beside monitoring."""

from typing import Any

import pytest

from direct_plus.sandbox.control.client import SandboxControl
from tests.servers.sandbox_client import REFERENCE, Client, code

DUNS = "012345678"
GERMAN = {"duns": DUNS, "primaryName": "Nordwind Logistik GmbH", "countryISOAlpha2Code": "DE", "primaryAddress": {}}


def test_entitlements_say_what_the_key_may_use(client: Client) -> None:
    assert client.get("/v1/entitlements").json()["entitlements"]["dataBlocks"]


def test_refresh_check(client: Client, control: SandboxControl) -> None:
    control.add_companies(REFERENCE, [GERMAN])
    asked = {"productId": "cmptcs", "versionId": "v1", "referenceDate": "2020-01-05"}
    assert client.get(f"/v1/data/refreshCheck/{DUNS}", **asked).json()["hasRefreshedData"] is True
    later = {**asked, "referenceDate": "2999-01-05"}
    assert client.get(f"/v1/data/refreshCheck/{DUNS}", **later).json()["hasRefreshedData"] is False
    assert code(client.get(f"/v1/data/refreshCheck/{DUNS}")) == "10002"
    assert code(client.get(f"/v1/data/refreshCheck/{DUNS}", **{**asked, "referenceDate": "soon"})) == "10002"


def blocks(client: Client, duns: str = DUNS) -> Any:
    return client.get(f"/v1/data/duns/{duns}", blockIDs="companyinfo_L2_v1,other_L1_v1", orderReason="6332")


def test_data_blocks(client: Client, control: SandboxControl) -> None:
    control.add_companies(REFERENCE, [GERMAN])
    body = blocks(client).json()
    assert body["organization"] == GERMAN
    assert [block["blockID"] for block in body["blockStatus"]] == ["companyinfo_L2_v1", "other_L1_v1"]
    assert code(client.get(f"/v1/data/duns/{DUNS}")) == "10002"


def test_a_transferred_number_leads_to_another(client: Client, control: SandboxControl) -> None:
    control.mark(DUNS, "transferred", retained="999999999")
    answer = blocks(client)
    assert answer.status_code == 301
    assert answer.headers["Location"].startswith("/v1/data/duns/999999999?blockIDs=")
    assert client.call("GET", answer.headers["Location"]).json()["organization"]["duns"] == "999999999"


@pytest.mark.parametrize(("mark", "status", "expected"), [("deleted", 410, "40002"), ("unknown", 404, "10001")])
def test_a_number_may_be_gone(client: Client, control: SandboxControl, mark: str, status: int, expected: str) -> None:
    control.mark(DUNS, mark)
    assert (blocks(client).status_code, code(blocks(client))) == (status, expected)
    assert blocks(client, "12345678").status_code == 400
