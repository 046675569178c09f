"""What the key may use, read alike from every layout that D&B's answer may have."""

import json
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from direct_plus.entitlements import Entitled, KeyRights, read_entitlements
from direct_plus.sandbox.api.entitlements import LAYOUTS

TODAY = date(2026, 11, 30)
END = "2027-03-31"


def read(document: Any) -> KeyRights:
    return read_entitlements(json.loads(json.dumps(document)), TODAY)


def ids(items: list[Entitled]) -> list[str]:
    return [item.id for item in items]


@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_layout_gives_the_same_blocks_and_products(layout: str) -> None:
    rights = read(LAYOUTS[layout](END))
    if layout == "none":
        assert rights == KeyRights()
        return
    assert ids(rights.products) == ["cmptcs_v1"]
    known = {block.id: block for block in rights.blocks}
    lower = {"companyinfo_L1_v1", "financialstrengthinsight_L1_v1"} if layout == "levels" else set()
    blocks = {"companyinfo_L2_v1", "principalscontacts_L1_v1", "hierarchyconnections_L1_v1"}
    assert set(known) - lower == blocks | {"financialstrengthinsight_L2_v1", "eventfilings_L1_v1"}
    if layout == "names":
        assert rights.contract_type == ""
        assert rights.expires is None
        assert {block.is_monitorable for block in rights.blocks} == {None}
    else:
        assert rights.contract_type == "Subscription"
        assert rights.expires == date(2027, 3, 31)
        assert known["companyinfo_L2_v1"].is_monitorable is True
        assert known["hierarchyconnections_L1_v1"].is_monitorable is False


@pytest.mark.parametrize("layout", LAYOUTS)
def test_without_an_end_there_is_none(layout: str) -> None:
    assert read(LAYOUTS[layout](None)).expires is None


def test_a_block_has_its_own_end_or_its_contracts() -> None:
    own = {"productID": "companyinfo_L2_v1", "expiryDate": "2026-12-31"}
    contract = {"endDate": "2028-01-31T00:00:00Z", "products": [own, {"productID": "cmptcs"}]}
    rights = read({"contracts": [contract, {"endDate": "2026-12-15", "products": ["typeahead"]}]})
    assert {item.name: item.expires for item in rights.items} == {
        "companyinfo": date(2026, 12, 31),
        "cmptcs": date(2028, 1, 31),
        "typeahead": date(2026, 12, 15),
    }
    assert rights.expires == date(2026, 12, 15)


def test_the_next_end_counts_and_where_all_are_over_the_last() -> None:
    ends = ["2025-01-31", "2026-10-31"]
    assert read({"contracts": [{"endDate": end} for end in [*ends, "2026-12-01", "2027-01-01"]]}).expires == date(
        2026, 12, 1
    )
    assert read({"contracts": [{"endDate": end} for end in ends]}).expires == date(2026, 10, 31)


@pytest.mark.parametrize("end", ["", "soon", "2026-02-30", 20270331, None, ["2027-03-31"]])
def test_an_end_that_cannot_be_read_is_unknown(end: Any) -> None:
    assert read({"contract": {"endDate": end}, "dataBlocks": [{"blockID": "a_L1_v1", "expiry": end}]}) == KeyRights(
        items=(Entitled("a", "L1", "v1", is_block=True),)
    )


def test_blocks_below_a_product_are_found() -> None:
    rights = read({"products": [{"productID": "risk", "dataBlocks": [{"block": "companyinfo", "level": 3}]}]})
    assert (ids(rights.products), ids(rights.blocks)) == (["risk"], ["companyinfo_L3"])


def test_names_that_are_no_entitlements_are_none() -> None:
    assert read({"subscriber": {"name": "ACME", "contacts": [{"name": "Ann"}]}, "links": [{"id": 1}]}) == KeyRights()


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8) | st.sampled_from(["a_L1_v1", END, "Y"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["dataBlocks", "products", "blockID", "level", "levels", "version", "endDate", "contract"])
            | st.text(max_size=4),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


def test_a_list_with_empty_texts_names_nothing() -> None:
    assert not read_entitlements({"dataBlocks": ["", "  "]}, TODAY).items


@given(JSON)
def test_any_answer_is_read(document: Any) -> None:
    for item in read_entitlements(document, TODAY).items:
        assert item.name
