"""How gunicorn serves the pages: `gunicorn --config python:dnbmon_site.serving`."""

import warnings
from typing import Any

from health.processes import end_with_parent

wsgi_app = "dnbmon_site.wsgi"
# Threads: most of a request is waiting for the database. WEB_CONCURRENCY sets the number of processes.
threads = 8
timeout = 60
graceful_timeout = 5
control_socket_disable = True
loglevel = "warning"

# Static files are found where the apps keep them (see the settings), so the folder for collected ones may be missing.
warnings.filterwarnings("ignore", message="No directory at")


def on_starting(server: Any) -> None:
    end_with_parent()
