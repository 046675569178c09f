"""Log lines never hold a secret, not even in a traceback."""

import logging
import logging.config
from typing import Any

import pytest

from dnbmon_site.log_config import logging_config


@pytest.fixture
def logging_as_before(settings: Any) -> Any:
    yield
    logging.config.dictConfig(settings.LOGGING)


@pytest.mark.parametrize("as_json", [True, False])
def test_tracebacks_show_no_local_variables(
    as_json: bool, capsys: pytest.CaptureFixture[str], logging_as_before: None
) -> None:
    logging.config.dictConfig(logging_config(as_json=as_json, level="INFO"))
    token = "-".join(["very", "secret"])
    try:
        raise ValueError(f"{len(token)} characters")
    except ValueError:
        logging.getLogger("a").exception("it failed")
    said = capsys.readouterr().err
    assert "11 characters" in said
    assert token not in said and "\033" not in said
