"""manage.py sandbox: a Direct+ on this machine, to try things with; it needs no database and touches none."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from direct_plus.sandbox.run import serve
from direct_plus.sandbox.state.world import KEY, SECRET
from dnbmon_site.worker.child_process import end_with_parent

PORT = 8001


class Command(BaseCommand):
    help = "Run a simulated D&B Direct+ API on 127.0.0.1, for tests and demos."
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--port", type=int, default=PORT, help=f"port; 0 uses a free port (default: {PORT})")
        parser.add_argument(
            "--state", type=Path, metavar="FILE", help="file that keeps the data across restarts; default: in memory"
        )
        parser.add_argument("--demo", action="store_true", help="add a sample portfolio with live changes")
        parser.add_argument(
            "--every", type=float, default=5.0, metavar="SECONDS", help="time between live changes (default: 5)"
        )

    def handle(self, *, port: int, state: Path | None, demo: bool, every: float, **options: Any) -> None:
        end_with_parent()
        if state:
            state.parent.mkdir(parents=True, exist_ok=True)
        try:
            serve(
                port=port, state=state, demo=demo, every=every, ready=self.announce if options["verbosity"] else ignore
            )
        except OSError as error:
            raise CommandError(f"Port {port} cannot be used ({error.strerror}). Choose another with --port.") from error

    def announce(self, url: str) -> None:
        self.stdout.write(f"The sandbox is running at {url}. To use it, set:")
        self.stdout.write(f"DNB_BASE_URL={url} DNB_API_KEY={KEY} DNB_API_SECRET={SECRET}")
        self.stdout.flush()


def ignore(url: str) -> None:
    """Who started us knows where we are."""
