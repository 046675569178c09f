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


def test_a_refresh_check_may_answer_below_the_company(client: Client, control: SandboxControl) -> None:
    control.add_companies(REFERENCE, [GERMAN])
    control.switch("refresh_check_answer", "organization")
    asked = {"productId": "cmptcs", "versionId": "v1", "referenceDate": "2020-01-05"}
    body = client.get(f"/v1/data/refreshCheck/{DUNS}", **asked).json()
    assert body["organization"] == {"duns": DUNS, "hasRefreshedData": True}


BOTH = "companyinfo_L2_v1,financialstrengthinsight_L2_v1"
OTHER = "companyinfo_L2_v1,other_L1_v1"


def blocks(client: Client, duns: str = DUNS, asked: str = BOTH) -> Any:
    return client.get(f"/v1/data/duns/{duns}", blockIDs=asked, orderReason="6332")


def test_data_blocks(client: Client, control: SandboxControl) -> None:
    control.add_companies(REFERENCE, [GERMAN])
    body = blocks(client).json()
    assert body["organization"] == GERMAN
    assert [block["blockID"] for block in body["blockStatus"]] == BOTH.split(",")
    assert code(client.get(f"/v1/data/duns/{DUNS}")) == "10002"


def test_blocks_hold_their_own_members(client: Client, control: SandboxControl) -> None:
    scored = {**GERMAN, "dnbAssessment": {"failureScore": {"classScore": 3}}}
    control.add_companies(REFERENCE, [scored])
    assert blocks(client, asked="companyinfo_L2_v1").json()["organization"] == GERMAN
    scores = blocks(client, asked="financialstrengthinsight_L2_v1").json()["organization"]
    assert "dnbAssessment" in scores and "primaryAddress" not in scores
    control.switch("block_members", "all")
    assert blocks(client, asked="companyinfo_L2_v1").json()["organization"] == scored


def test_blocks_outside_the_contract(client: Client, control: SandboxControl) -> None:
    control.add_companies(REFERENCE, [GERMAN])
    refused = blocks(client, asked=OTHER)
    assert (refused.status_code, code(refused)) == (403, "00004")
    control.switch("unentitled_blocks", "omit")
    assert [one["status"] for one in blocks(client, asked=OTHER).json()["blockStatus"]] == ["ok", "not entitled"]
    assert blocks(client, asked="other_L1_v1").status_code == 403
    control.switch("unentitled_blocks", "serve")
    assert [one["status"] for one in blocks(client, asked=OTHER).json()["blockStatus"]] == ["ok", "ok"]


def test_a_transferred_number_leads_to_another(client: Client, control: SandboxControl) -> None:
    control.mark(DUNS, "transferred", retained="999999999")
    answer = blocks(client)
    assert answer.status_code == 301
    assert answer.headers["Location"].startswith("/v1/data/duns/999999999?blockIDs=")
    assert client.call("GET", answer.headers["Location"]).json()["organization"]["duns"] == "999999999"
    control.switch("transferred_data", "url")
    assert blocks(client).headers["Location"].startswith("https://plus.dnb.com/v1/data/duns/999999999?blockIDs=")
    control.switch("transferred_data", "details")
    answer = blocks(client)
    assert answer.status_code == 301 and "Location" not in answer.headers
    assert "999999999" in answer.json()["error"]["errorDetails"][0]["description"]


@pytest.mark.parametrize(("mark", "status", "expected"), [("deleted", 410, "40002"), ("unknown", 404, "10001")])
def test_a_number_may_be_gone(client: Client, control: SandboxControl, mark: str, status: int, expected: str) -> None:
    control.mark(DUNS, mark)
    assert (blocks(client).status_code, code(blocks(client))) == (status, expected)
    assert blocks(client, "12345678").status_code == 400
