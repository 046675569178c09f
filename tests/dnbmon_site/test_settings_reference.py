"""The list of settings is what the code reads, each is explained, and the templates name nothing else."""

import ast
import re
from pathlib import Path
from typing import Any

import pytest

from core.fields import default_text, with_default
from dnbmon_site import settings_reference
from portfolio.models import Contract
from tests.support import ROOT

TEMPLATES = sorted((ROOT / "docs" / "environments").glob("*.env"))
NAMES = {one.name for one in settings_reference.settings_in_code()}


def test_the_docs_are_what_the_code_reads() -> None:
    document = settings_reference.DOCS.read_text()
    assert settings_reference.with_list(document) == document, "run: python -m dnbmon_site.settings_reference"


def test_each_setting_is_explained_in_words() -> None:
    words = settings_reference.DOCS.read_text().split(settings_reference.BEGIN)[0]
    assert [name for name in sorted(NAMES) if f"`{name}`" not in words] == []


def test_a_setting_is_found_wherever_it_is_read() -> None:
    calls = (
        'ENV.int("ONE", default=1 | 2)',
        'settings.ENV.str("TWO")',
        'setting(contract, "THREE", "x")',
        'f.str("NO")',
    )
    source = "\n".join(calls)
    found = [one[:3] for one in settings_reference.read_by(ast.parse(source), "x.py")]
    assert found == [("ONE", "whole number", "1 or 2"), ("TWO", "text", ""), ("DNB_THREE", "text", "x")]


@pytest.mark.parametrize(
    ("default", "words"),
    [
        ("False", "no"),
        ("''", "none"),
        ("'INFO'", "`INFO`"),
        ("6.0", "`6.0`"),
        ("365 * 86400", "`31536000` (one year)"),
    ],
)
def test_a_default_is_shown_as_it_is_entered(default: str, words: str) -> None:
    assert settings_reference.default_text(default) == words


@pytest.mark.parametrize("path", [*TEMPLATES, ROOT / ".env.example"], ids=lambda path: path.name)
def test_templates_name_settings_that_exist(path: Path) -> None:
    names = re.findall(r"^#?([A-Z][A-Z_]+)=", path.read_text(), re.MULTILINE)
    assert names and {name.removesuffix("_FILE") for name in names} <= NAMES


def test_there_is_a_template_for_each_environment() -> None:
    assert [path.stem for path in TEMPLATES] == ["development", "production", "staging"]
    assert all(f"ENVIRONMENT={path.stem}\n" in path.read_text() for path in TEMPLATES)


def test_defaults_stand_beside_what_they_are_for() -> None:
    field: Any = Contract._meta.get_field
    assert default_text(field("recovery_delay")) == "15 minutes"
    assert default_text(field("calls_per_second")) == "5"
    assert with_default(field("cap"), "How many.") == "How many. Default: 100."
    assert with_default(field("anniversary"), "The day.") == "The day."
