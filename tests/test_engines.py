"""Which tests run on every engine."""

from fnmatch import fnmatch

import pytest

from tests.engines import SURFACES, depends_on_engine, invariants, is_surface, without_further_parameters
from tests.support import ROOT

TESTS = ROOT / "tests"
NAMED = "commands/test_forget.py::test_no_trace_of_the_company_is_left"


def test_what_uses_the_database_in_a_new_place_does(request: pytest.FixtureRequest, db: None) -> None:
    assert depends_on_engine(request.node)


def test_what_uses_no_database_does_not(request: pytest.FixtureRequest) -> None:
    assert not depends_on_engine(request.node)


@pytest.mark.one_engine
def test_a_mark_goes_before_that(request: pytest.FixtureRequest, db: None) -> None:
    assert not depends_on_engine(request.node)


@pytest.mark.parametrize("number", [1, 2])
def test_one_parameter_is_enough(request: pytest.FixtureRequest, number: int) -> None:
    both = [item for item in request.session.items if getattr(item, "originalname", "") == request.node.originalname]
    assert list(without_further_parameters(both)) == both[:1]


@pytest.mark.every_engine
@pytest.mark.parametrize("number", [1, 2])
def test_a_mark_keeps_every_parameter(request: pytest.FixtureRequest, number: int) -> None:
    both = [item for item in request.session.items if getattr(item, "originalname", "") == request.node.originalname]
    assert list(without_further_parameters(both)) == both


def test_an_invariant_does_although_it_is_a_test_of_a_page() -> None:
    assert is_surface(TESTS / NAMED.partition("::")[0]) and NAMED in invariants()


def test_every_test_that_an_invariant_names_is_there() -> None:
    """Or the invariant is held by nothing, and its test runs on one engine only."""
    named = sorted(name.split("::") for name in invariants())
    texts = {path: (TESTS / path).read_text() if (TESTS / path).exists() else "" for path, _ in named}
    assert [f"{path}::{test}" for path, test in named if f"def {test}(" not in texts[path]] == []


@pytest.mark.parametrize("pattern", SURFACES)
def test_every_place_that_is_left_out_is_there(pattern: str) -> None:
    assert any(fnmatch(str(path.relative_to(TESTS)), pattern) for path in TESTS.rglob("*.py"))
