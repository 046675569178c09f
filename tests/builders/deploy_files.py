"""Files that put the program on a server."""

from configparser import ConfigParser
from pathlib import Path

from tests.support import ROOT

DEPLOY = ROOT / "deploy"


def unit(path: Path) -> ConfigParser:
    parser = ConfigParser(interpolation=None, strict=True)
    parser.optionxform = str  # type: ignore[assignment, method-assign]
    parser.read(path)
    return parser
