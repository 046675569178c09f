"""The page that people read says what there is."""

import re
from pathlib import Path

import pytest

from direct_plus.sandbox.control.client import SandboxControl
from direct_plus.sandbox.http.faults import KINDS
from direct_plus.sandbox.state.events import kinds
from direct_plus.sandbox.state.faults import COMMON
from direct_plus.sandbox.state.options import SWITCHES

TESTS = Path(__file__).parents[1]
PAGE = (TESTS.parent / "docs" / "develop" / "sandbox.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", sorted(SWITCHES))
def test_every_switch_is_explained_and_may_be_set_to_what_it_stands_at(name: str) -> None:
    assert f"| `{name}` |" in PAGE
    assert SWITCHES[name].takes(SWITCHES[name].default)


@pytest.mark.parametrize("name", sorted(KINDS))
def test_every_fault_is_explained(name: str) -> None:
    row = next(line for line in PAGE.splitlines() if line.startswith(f"| `{name}` |"))
    assert all(f"`{parameter}=" in row for parameter in KINDS[name].defaults)


def test_what_can_happen_and_how_faults_are_set_is_told() -> None:
    for word in [*kinds(), *COMMON]:
        assert f"`{word}" in PAGE or f"{word}=" in PAGE


def test_every_method_of_the_control_client_is_told() -> None:
    methods = [name for name in vars(SandboxControl) if not name.startswith("_") and name != "ask"]
    missing = [name for name in methods if f"`{name}(" not in PAGE]
    assert missing == []


def test_the_tests_of_each_interpretation_are_there() -> None:
    named = re.findall(r"`(?:tests/)?([a-z_]+/[a-z_/]+\.py)(?:::(test_\w+))?`", PAGE)
    missing = [(path, name) for path, name in named if f"def {name}" not in (TESTS / path).read_text(encoding="utf-8")]
    assert len(named) > 20 and missing == []
