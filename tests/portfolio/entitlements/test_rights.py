"""What the key may use: yes, no, or not known, and versions from D&B's answer alone."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
import time_machine

from direct_plus.sandbox.api.entitlements import LAYOUTS
from portfolio.entitlements.rights import block_version, entitled
from portfolio.models import Contract, Entitlements
from tests.builders.contracts import a_contract

pytestmark = pytest.mark.django_db
BLOCKS = ["companyinfo_L2_v1", "companyinfo_L3_v2", "companyinfo_L3_v10"]


def stated(answer: Any) -> Contract:
    contract = a_contract()
    text = answer if isinstance(answer, str) else json.dumps(answer)
    Entitlements.objects.create(contract=contract, answer=text)
    return contract


@pytest.mark.parametrize("asked", ["companyinfo_L2_v1", "companyinfo", "cmptcs", "typeahead"])
def test_what_d_and_b_was_not_asked_is_unknown(asked: str) -> None:
    assert entitled(a_contract(), asked) is None
    assert block_version(a_contract(), "companyinfo", 2) is None


@pytest.mark.parametrize("answer", ["", "no JSON", "[]", "{}", '{"a": {"b": [1, null]}}'])
def test_what_cannot_be_read_is_unknown(answer: str) -> None:
    contract = stated(answer)
    assert entitled(contract, "companyinfo_L2_v1") is None
    assert block_version(contract, "companyinfo", 2) is None


@pytest.mark.parametrize("layout", [name for name in LAYOUTS if name != "none"])
def test_every_layout_gives_the_same_rights_and_versions(layout: str) -> None:
    contract = stated(LAYOUTS[layout]("2999-12-31"))
    for asked in ("companyinfo_L2_v1", "COMPANYINFO_L2", "companyinfo", "cmptcs_v1", "cmptcs"):
        assert entitled(contract, asked) is True, asked
    for asked in ("companyinfo_L3_v1", "companyinfo_L2_v2", "paymentinsight_L1_v1"):
        assert entitled(contract, asked) is False, asked
    assert entitled(contract, "typeahead") is None
    assert block_version(contract, "companyinfo", 2) == block_version(contract, "CompanyInfo", "L2")
    assert block_version(contract, "companyinfo", 2) == "companyinfo_L2_v1"
    assert block_version(contract, "companyinfo", 3) is None


def test_a_level_below_one_that_is_permitted_is_unknown() -> None:
    assert entitled(stated({"dataBlocks": ["companyinfo_L2_v1"]}), "companyinfo_L1_v1") is None


def test_a_block_without_a_level_may_have_any() -> None:
    contract = stated({"dataBlocks": [{"blockID": "companyinfo"}]})
    assert entitled(contract, "companyinfo") is True
    assert entitled(contract, "companyinfo_L2_v1") is None
    assert block_version(contract, "companyinfo", 2) is None


def test_a_version_that_is_not_stated_is_unknown() -> None:
    contract = stated({"dataBlocks": [{"blockID": "companyinfo", "level": "L2"}]})
    assert entitled(contract, "companyinfo_L2") is True
    assert block_version(contract, "companyinfo", 2) is None


def test_the_highest_version_of_a_block_is_called() -> None:
    assert block_version(stated({"dataBlocks": BLOCKS}), "companyinfo", 3) == "companyinfo_L3_v10"


def test_a_right_ends_with_its_day() -> None:
    contract = stated({"dataBlocks": [{"blockID": "companyinfo_L2_v1", "expirationDate": "2026-11-30"}]})
    with time_machine.travel(datetime(2026, 11, 30, 23, tzinfo=UTC)):
        assert entitled(contract, "companyinfo_L2_v1") is True
        assert block_version(contract, "companyinfo", 2) == "companyinfo_L2_v1"
    with time_machine.travel(datetime(2026, 12, 1, 1, tzinfo=UTC)):
        assert entitled(contract, "companyinfo_L2_v1") is False
        assert block_version(contract, "companyinfo", 2) is None
