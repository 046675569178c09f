"""Which version runs: its number, and the commit of git that its files are of, where that is known."""

from __future__ import annotations

import tomllib
from pathlib import Path

NAME = "D&B Monitoring"


BASE_DIR = Path(__file__).resolve().parent.parent
# `git archive` writes the commit into it, and so does whoever packs the files otherwise (deploy/Dockerfile).
PACKED = BASE_DIR / "dnbmon_site" / "commit.txt"
SHOWN = 10


def version() -> str:
    """Such as “0.1.0 (3f2a91c07b)”."""
    commit = packed_commit(PACKED) or checked_out_commit(BASE_DIR / ".git")
    return f"{number()} ({commit[:SHOWN]})" if commit else number()


def number() -> str:
    project = tomllib.loads((BASE_DIR / "pyproject.toml").read_text())["project"]
    return str(project["version"])


def packed_commit(path: Path) -> str:
    text = path.read_text().strip() if path.is_file() else ""
    return "" if text.startswith("$Format") else text


def checked_out_commit(git: Path) -> str:
    """Read without git, which refuses a folder of somebody else's, and may not be installed."""
    try:
        folder = linked(git) if git.is_file() else git
        head = (folder / "HEAD").read_text().strip()
        return commit_of(folder, head.removeprefix("ref: ")) if head.startswith("ref: ") else head
    except OSError:
        return ""


def linked(git: Path) -> Path:
    """A further worktree has a file that names its folder."""
    return git.parent / git.read_text().strip().removeprefix("gitdir: ")


def commit_of(folder: Path, ref: str) -> str:
    common = folder / "commondir"
    shared = folder / common.read_text().strip() if common.is_file() else folder
    if (shared / ref).is_file():
        return (shared / ref).read_text().strip()
    packed = (shared / "packed-refs").read_text().splitlines()
    return next((line.split()[0] for line in packed if line.endswith(f" {ref}")), "")
