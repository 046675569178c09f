"""Modules and folders stay small, and test files stand alone: what they share lies in conftest.py files and helpers."""

import ast
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from tests.support import PROGRAM, ROOT

MOST_LINES = 350
MOST_MODULES = 20


def test_no_module_of_the_program_is_too_long_to_read_at_once() -> None:
    lengths = {path: len(path.read_text().splitlines()) for path in modules_of_the_program()}
    assert {str(path.relative_to(ROOT)): length for path, length in lengths.items() if length > MOST_LINES} == {}


def test_no_folder_of_the_program_holds_too_many_modules_to_choose_from() -> None:
    counts = Counter(path.parent for path in modules_of_the_program() if path.name != "__init__.py")
    assert {str(path.relative_to(ROOT)): count for path, count in counts.items() if count > MOST_MODULES} == {}


def modules_of_the_program() -> list[Path]:
    files = (path for app in PROGRAM for path in (ROOT / app).rglob("*.py"))
    return [path for path in files if "migrations" not in path.parts]


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
