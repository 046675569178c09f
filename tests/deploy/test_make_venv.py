"""What root makes, the user of the service can run."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support import ROOT

SCRIPT = ROOT / "dnbmon_site" / "make_venv.sh"
REAL = os.path.realpath(sys.executable)
# Says that it is root, whoever runs the tests.
ROOTS_ID = "#!/bin/sh\necho 0\n"


def put(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)
    return path


def interpreter(path: Path, *, is_open: bool) -> Path:
    """Answers as a Python of 3.11 that everybody, or only its owner, may run; makes a .venv of itself."""
    made = f'mkdir -p .venv/bin; cp "$0" .venv/bin/python; echo {path.name} > .venv/made-by'
    made += "; cp requirements.lock .venv/installed-requirements.lock"
    cases = f"""case "$*" in
*st_mode*) exit {0 if is_open else 1};;
*"-m venv"*) {made};;
*realpath*) echo {path};;
--version) echo Python 3.11;;
esac"""
    return put(path, f"#!/bin/sh\n{cases}\n")


def run(folder: Path, *programs: Path) -> subprocess.CompletedProcess[str]:
    put(folder / "bin" / "id", ROOTS_ID)
    (folder / "requirements.lock").write_text("")
    env = {"PATH": f"{folder / 'bin'}:/usr/bin:/bin", "PYTHON": " ".join(map(str, programs))}
    return subprocess.run(["sh", SCRIPT, "requirements.lock"], cwd=folder, env=env, capture_output=True, text=True)


def test_root_takes_an_interpreter_that_everybody_may_run(tmp_path: Path) -> None:
    own = interpreter(tmp_path / "root" / "own", is_open=False)
    systems = interpreter(tmp_path / "usr" / "systems", is_open=True)
    done = run(tmp_path, own, systems)
    assert (done.returncode, done.stderr) == (0, "")
    assert (tmp_path / ".venv" / "made-by").read_text() == "systems\n"


def test_where_there_is_none_it_says_who_cannot_run_it(tmp_path: Path) -> None:
    own = interpreter(tmp_path / "root" / "own", is_open=False)
    done = run(tmp_path, own)
    assert done.returncode == 0
    assert f"Only root can run .venv: its Python is {own}" in done.stderr and "python3-venv" in done.stderr


@pytest.mark.parametrize(("mode", "code"), [(0o755, 0), (0o700, 1)])
def test_an_interpreter_in_a_closed_folder_is_not_for_everybody(mode: int, code: int, tmp_path: Path) -> None:
    """The question itself, asked of a real Python that is told it lies there."""
    question = SCRIPT.read_text().split("for_everybody='")[1].split("'\n")[0]
    file = put(tmp_path / "home" / "bin" / "python", "")
    file.parent.parent.chmod(mode)
    tmp_path.chmod(0o755)
    # What lies above is the machine's, open or not.
    above = f"real = os.stat; os.stat = lambda path: real(path if str(path).startswith({str(tmp_path)!r}) else '/')"
    asked = f"import os, sys; {above}; sys.executable = os.__file__ = file = {str(file)!r}\n{question}"
    assert subprocess.run([REAL, "-c", asked], capture_output=True).returncode == code
