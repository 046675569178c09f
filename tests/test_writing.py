"""No text that people read uses a word that `docs/develop/writing.md` retired: texts in the code, templates, commands,
the API's descriptions and the documents."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings
from django.utils.translation.template import templatize

from tests.support import PROGRAM

ROOT = Path(settings.BASE_DIR)
GUIDE = ROOT / "docs" / "develop" / "writing.md"
GETTEXT = {"_", "gettext", "gettext_lazy", "ngettext", "ngettext_lazy", "pgettext", "pgettext_lazy"}
SHOWN_KEYWORDS = {"help", "description", "summary", "help_text", "label", "verbose_name", "epilog"}
RETIRED_ROW = re.compile(r"^\| (`.+?`) \| .+ \|$", re.MULTILINE)


def retired_words() -> re.Pattern[str]:
    """One pattern of all the words in the guide's table of retired words."""
    table = GUIDE.read_text().split("## Retired words", 1)[1]
    patterns = [word for row in RETIRED_ROW.findall(table) for word in re.findall(r"`(.+?)`", row)]
    assert len(patterns) > 50
    return re.compile(rf"(?<![\w-])(?:{'|'.join(patterns)})(?![\w-])", re.IGNORECASE)


RETIRED = retired_words()


def _texts_of_module(path: Path) -> Iterator[tuple[int, str]]:
    is_command = "commands" in path.parts
    for node in ast.walk(ast.parse(path.read_text())):
        if is_command and isinstance(node, ast.Assign) and _is_text(node.value):
            yield node.lineno, str(ast.literal_eval(node.value))
        if isinstance(node, ast.Call):
            yield from _texts_of_call(node, is_command)
        if is_command and isinstance(node, ast.JoinedStr):
            yield from ((node.lineno, ast.unparse(part)) for part in node.values if _is_text(part))


def _texts_of_call(call: ast.Call, is_command: bool) -> Iterator[tuple[int, str]]:
    name = call.func.id if isinstance(call.func, ast.Name) else getattr(call.func, "attr", "")
    shown = [keyword.value for keyword in call.keywords if keyword.arg in SHOWN_KEYWORDS]
    in_words = [part for part in [*call.args, *shown] if _is_text(part)] if is_command else [*filter(_is_text, shown)]
    texts = call.args if name in GETTEXT else in_words
    yield from ((part.lineno, str(part.value)) for part in texts if isinstance(part, ast.Constant))


def _is_text(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str) and " " in node.value.strip()


def _texts_of_template(path: Path) -> Iterator[tuple[int, str]]:
    for number, line in enumerate(templatize(path.read_text()).splitlines(), 1):
        for quoted in re.findall(r"gettext\(u?'((?:[^'\\]|\\.)*)'|gettext\(u?\"((?:[^\"\\]|\\.)*)\"", line):
            yield number, "".join(quoted)


def _texts_of_document(path: Path) -> Iterator[tuple[int, str]]:
    """Lines without code: blocks that are indented or fenced, and spans between backticks."""
    fenced = False
    for number, line in enumerate(path.read_text().splitlines(), 1):
        fenced ^= line.lstrip().startswith("```")
        if not fenced and not line.startswith("    "):
            yield number, re.sub(r"`[^`]*`|\]\([^)]*\)", "", line)


def _files() -> list[Path]:
    modules = [path for folder in PROGRAM for path in (ROOT / folder).rglob("*.py") if "migrations" not in path.parts]
    templates = [path for path in (ROOT / "templates").rglob("*") if path.suffix in {".html", ".txt"}]
    documents = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]
    return [*modules, *templates, *documents]


def _retired_in(path: Path) -> list[str]:
    readers = {".py": _texts_of_module, ".md": _texts_of_document}
    texts = readers.get(path.suffix, _texts_of_template)(path)
    return [
        f"{path.relative_to(ROOT)}:{number}: “{found[0]}” in {text!r}"
        for number, text in texts
        for found in [RETIRED.search(text)]
        if found
    ]


@pytest.mark.parametrize(
    "path", [path for path in _files() if path != GUIDE], ids=lambda path: str(path.relative_to(ROOT))
)
def test_no_text_uses_a_retired_word(path: Path) -> None:
    found = _retired_in(path)
    assert not found, "\n".join(["Words that docs/develop/writing.md retired:", *found])
