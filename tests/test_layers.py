"""Imports point one way, and what is not for running stays out."""

import subprocess
import sys
from pathlib import Path

from tests.support import PROGRAM, ROOT


def test_imports_point_one_way() -> None:
    done = subprocess.run([Path(sys.executable).parent / "lint-imports"], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


def test_the_program_imports_no_test_tool() -> None:
    """SecantusDB above all: its licence is not ours."""
    tools = ("import secantus", "from secantus", "import pytest", "from tests", "import tests")
    files = [path for app in PROGRAM for path in (ROOT / app).rglob("*.py")]
    guilty = [str(path) for path in files if any(tool in path.read_text() for tool in tools)]
    assert guilty == []
