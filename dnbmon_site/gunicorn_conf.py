"""How gunicorn serves the pages: `gunicorn --config python:dnbmon_site.gunicorn_conf`."""

import os
import warnings
from typing import Any

from dnbmon_site.log_config import logging_config
from dnbmon_site.worker.child_process import end_with_parent

wsgi_app = "dnbmon_site.wsgi"
# Threads: most of a request is waiting for the database. WEB_CONCURRENCY sets the number of processes.
threads = 8
timeout = 60
# Longer than a proxy keeps a connection to us (nginx.conf): who closes first must not be us, just as it sends.
keepalive = 75
graceful_timeout = 5
control_socket_disable = True
loglevel = "warning"
# Its own lines as all others. There is no access log: each request writes a line of its own, without what is secret.
logconfig_dict = logging_config(
    as_json=os.environ.get("ENVIRONMENT", "development") != "development", level=loglevel.upper()
)

# Static files are found where the apps keep them (see the settings), so the folder for collected ones may be missing.
warnings.filterwarnings("ignore", message="No directory at")


def on_starting(server: Any) -> None:
    end_with_parent()
