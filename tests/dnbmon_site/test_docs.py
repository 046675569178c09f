"""What the docs name exists: tests, files, and the pages that they lead to."""

import re
from importlib.util import find_spec
from pathlib import Path

import pytest
from django.apps import apps
from django.core.management import get_commands

from health.runbook_page import rendered
from tests.support import PROGRAM

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("**/*.md")])
TEST = re.compile(r"`(?:tests/)?([\w/]+\.py)::(test_\w+)`")
LINK = re.compile(r"\]\((?!https?:|#|mailto:)([^)#\s]+)[^)]*\)")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_test_that_is_named_exists(page: Path) -> None:
    named = TEST.findall(page.read_text())
    assert [f"{file}::{name}" for file, name in named if not _is_there(file, name)] == []


def _is_there(file: str, name: str) -> bool:
    path = ROOT / "tests" / file
    return path.is_file() and re.search(rf"^\s*def {name}\(", path.read_text(), re.MULTILINE) is not None


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_leads_somewhere(page: Path) -> None:
    assert [link for link in LINK.findall(page.read_text()) if not (page.parent / link).exists()] == []


ANCHOR = re.compile(r"\]\((?!https?:|mailto:)([^)#\s]*)#([^)\s]+)\)")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_anchor_is_there(page: Path) -> None:
    """As the program itself names headings, which is as GitHub does."""
    named = ANCHOR.findall(page.read_text())
    assert [
        f"{file}#{name}" for file, name in named if name not in _anchors(page.parent / file if file else page)
    ] == []


def _anchors(page: Path) -> list[str]:
    return re.findall(r'\bid="([^"]+)"', rendered(page, page.stat().st_mtime)[1])


FOR_OPERATORS = ("backup", "configuration", "deployment", "performance", "scaling", "security")
HELP = [*sorted((ROOT / "docs" / "use").glob("*.md")), *(ROOT / "docs" / "operate" / f"{n}.md" for n in FOR_OPERATORS)]


@pytest.mark.parametrize("page", HELP, ids=lambda page: page.name)
def test_help_names_no_test(page: Path) -> None:
    """Users cannot run them; what proves a protection is in docs/develop."""
    assert re.findall(r"\btest_\w+", page.read_text()) == []


COMMAND = re.compile(r"manage\.py ([a-z_]+)")
TARGET = re.compile(r"(?:`|^ {4})make ([a-z-]+)", re.MULTILINE)
MODULE = re.compile(r"python -m ((?:benchmarks|direct_plus|dnbmon_site|tests)[\w.]*)")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_command_that_is_named_exists(page: Path) -> None:
    text = page.read_text()
    targets = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert [name for name in COMMAND.findall(text) if name not in get_commands()] == []
    assert [name for name in TARGET.findall(text) if name not in targets] == []
    assert [name for name in MODULE.findall(text) if find_spec(name) is None] == []


FILE = re.compile(r"(?<![\w/.])((?:tests|benchmarks|examples)/[\w/]+\.\w+)")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_file_that_is_named_exists(page: Path) -> None:
    named = FILE.findall(page.read_text())
    assert [file for file in named if not any((below / file).exists() for below in (ROOT, ROOT / "tests"))] == []


PATH = re.compile(rf"`((?:{'|'.join(PROGRAM)}|deploy|docs|templates|tests)/[^`\s:]*)`")


@pytest.mark.parametrize("page", sorted((ROOT / "docs" / "develop").glob("*.md")), ids=lambda page: page.name)
def test_every_path_that_developers_are_shown_exists(page: Path) -> None:
    assert [path for path in PATH.findall(page.read_text()) if not (ROOT / path).exists()] == []


IN_CODE = re.compile(r"\b(docs/[\w/]+\.\w+)(?:#([\w-]+))?")


@pytest.mark.parametrize("app", PROGRAM)
def test_every_document_that_the_program_names_exists(app: str) -> None:
    named = {name for path in (ROOT / app).rglob("*.py") for name in IN_CODE.findall(path.read_text())}
    assert [name for name in named if not _leads_somewhere(*name)] == []


def _leads_somewhere(file: str, anchor: str) -> bool:
    return (ROOT / file).is_file() and (not anchor or anchor in _anchors(ROOT / file))


TABLE = re.compile(r"^    (\w+) \{\n((?:        .*\n)*)    \}", re.MULTILINE)


def test_the_data_model_shows_every_table_and_no_field_that_is_not() -> None:
    shown = dict(TABLE.findall((ROOT / "docs" / "develop" / "data_model.md").read_text()))
    ours = {model.__name__: model for model in apps.get_models() if model.__module__.split(".")[0] in PROGRAM}
    assert shown.keys() == ours.keys()
    for name, rows in shown.items():
        fields = {field.name for field in ours[name]._meta.get_fields()}
        assert {row.split()[1] for row in rows.splitlines()} - fields == set(), name
