"""Every setting, as a list made from the code: `python -m dnbmon_site.settings_reference` writes it.

The list stands at the end of docs/operate/configuration.md. A test compares them, and sees that each name is explained
in the tables above it.
"""

from __future__ import annotations

import ast
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs" / "operate" / "configuration.md"
BEGIN, END = "<!-- from the code: begin -->\n", "<!-- from the code: end -->\n"
PACKAGES = ("core", "direct_plus", "portfolio", "monitoring", "health", "dnbmon_site")
KINDS = {
    "str": "text", "int": "whole number", "float": "number", "bool": "yes or no", "list": "several, with commas",
    "email_url": "address",
}  # fmt: skip
# Defaults that are computed, as an operator reads them.
COMPUTED = {
    "['localhost', '127.0.0.1', '[::1]'] if DEVELOPMENT else []": (
        "in development `localhost`, `127.0.0.1` and `[::1]`, otherwise none"
    ),
    "DEFAULT_URL": "`sqlite:///var/dnbmon.sqlite3`",
    "PRODUCTION": "yes in production, otherwise no",
    "str(BASE_DIR / 'var' / 'exports')": "`var/exports`",
    "str(BASE_DIR / 'var' / 'incoming')": "`var/incoming`",
    "['*'] if DEVELOPMENT else [DEFAULT_FROM_EMAIL.rpartition('@')[2].rstrip('> ')]": (
        "in development all, otherwise the domain of `DEFAULT_FROM_EMAIL`"
    ),
    "['*'] if _IN_DEVELOPMENT else []": "in development all, otherwise none",
    "365 * 86400": "`31536000` (one year)",
    "14 * 24 if DEVELOPMENT else 12": "in development `336` (14 days), otherwise `12`",
}
# Columns of the contract that are data and no settings.
DATA = ("name",)


class Setting(NamedTuple):
    name: str
    kind: str
    default: str
    where: str


def settings_in_code() -> list[Setting]:
    """Each name once: what is read in settings.py goes before what others read of it."""
    found: dict[str, Setting] = {}
    for path in sources():
        for setting in read_by(ast.parse(path.read_text()), str(path.relative_to(ROOT))):
            known = found.get(setting.name)
            if known is None or (not known.default and setting.default):
                found[setting.name] = setting
    return sorted(found.values())


def sources() -> Iterator[Path]:
    yield ROOT / "dnbmon_site" / "settings.py"
    for package in PACKAGES:
        yield from sorted((ROOT / package).rglob("*.py"))


def read_by(tree: ast.AST, where: str) -> Iterator[Setting]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and node.args:
            yield from _of_environment(node, where)
            yield from _of_contract(node, where)


def _of_environment(call: ast.Call, where: str) -> Iterator[Setting]:
    """ENV.int("NAME", default=…), whatever stands before ENV."""
    function, name = call.func, text_of(call.args[0])
    if not isinstance(function, ast.Attribute) or function.attr not in KINDS:
        return
    if name and "ENV" in ast.unparse(function.value).upper():
        yield Setting(name, KINDS[function.attr], default_of(call), where)


def _of_contract(call: ast.Call, where: str) -> Iterator[Setting]:
    """setting(contract, "NAME", "default"): with the contract's prefix, which usually is DNB."""
    name = text_of(call.args[1]) if len(call.args) > 1 else ""
    if isinstance(call.func, ast.Name) and call.func.id == "setting" and name:
        yield Setting(f"DNB_{name}", "text", text_of(call.args[2]) if len(call.args) > 2 else "", where)


def text_of(node: ast.expr) -> str:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""


def default_of(call: ast.Call) -> str:
    for keyword in call.keywords:
        if keyword.arg == "default":
            return ast.unparse(keyword.value).replace("|", "or")
    return ""


def rendered() -> str:
    rows = [f"| `{one.name}` | {one.kind} | {default_text(one.default)} |" for one in settings_in_code()]
    lines = ["| name | kind | default |", "|---|---|---|", *rows, "", RUNTIME, ""]
    return "\n".join([*lines, "| setting | default | what |", "|---|---|---|", *runtime_rows(), ""])


RUNTIME = "In the contract's row, changed in the admin under “Contracts” while everything runs:"


def default_text(default: str) -> str:
    """In words, as it is entered; raises KeyError for a computed one that has none yet."""
    if default in ("", "''", "[]"):
        return "none"
    try:
        value = ast.literal_eval(default)
    except (SyntaxError, ValueError):
        return COMPUTED[default]
    return {True: "yes", False: "no"}[value] if isinstance(value, bool) else f"`{value}`"


def runtime_rows() -> Iterator[str]:
    from core.fields import default_text
    from portfolio.models import Contract

    for field in Contract._meta.concrete_fields:
        if field.name not in DATA and field.editable:
            words = default_text(field) or "none"
            yield f"| {field.verbose_name} | {words} | {field.help_text} |"


def with_list(document: str) -> str:
    before, rest = document.split(BEGIN)
    return f"{before}{BEGIN}\n{rendered()}\n{END}{rest.split(END)[1]}"


def main() -> None:
    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "dnbmon_site.settings")
    django.setup()
    DOCS.write_text(with_list(DOCS.read_text()))
    sys.stdout.write(f"{DOCS} is up to date.\n")


if __name__ == "__main__":
    main()
