"""Labels in bold on the pages of tasks are texts of the program."""

import re
from pathlib import Path

import pytest
from django.apps import apps
from django.conf import settings

from tests.support import PROGRAM

ROOT = Path(settings.BASE_DIR)
LABEL = re.compile(r"^\d+\. .*", re.MULTILINE)
PAGES = sorted(page for page in (ROOT / "docs" / "use").glob("*.md") if LABEL.search(page.read_text()))


@pytest.fixture(scope="module")
def texts() -> str:
    files = [path for folder in PROGRAM for path in (ROOT / folder).rglob("*.py")]
    buttons = [f'"Add {model._meta.verbose_name}"' for model in apps.get_models()]
    read = [path.read_text() for path in [*files, *(ROOT / "templates").rglob("*.html")]]
    return "\n".join([*read, *buttons]).replace("&amp;", "&").lower()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_label_of_a_step_is_a_text_of_the_program(page: Path, texts: str) -> None:
    labels = {label for step in LABEL.findall(page.read_text()) for label in re.findall(r"\*\*([A-Z][^*]+)\*\*", step)}
    assert [label for label in labels if not re.search(rf"[\"'>]{re.escape(label.lower())}…?[\"'<]", texts)] == []
