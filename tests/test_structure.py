"""Test files stand alone: what they share lies in conftest.py files and in the folders of helpers."""

import ast
from collections.abc import Iterator
from pathlib import Path

from tests.support import ROOT


def test_no_file_imports_a_test_file_or_a_conftest() -> None:
    """Fixtures reach tests by their folder, and a test file may be moved without breaking another."""
    files = sorted((ROOT / "tests").rglob("*.py"))
    borrowed = [f"{path.relative_to(ROOT)}: {name}" for path in files for name in imports(path) if is_no_helper(name)]
    assert borrowed == []


def imports(path: Path) -> Iterator[str]:
    """In full: the name of what is imported comes last, since that may be a module too."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        if isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def is_no_helper(name: str) -> bool:
    first, *parts = name.split(".")
    return first == "conftest" or (first == "tests" and any(is_for_pytest(part) for part in parts))


def is_for_pytest(part: str) -> bool:
    return part == "conftest" or part.startswith("test_")
