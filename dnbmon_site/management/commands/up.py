"""manage.py up: the whole program in one process tree; `--demo` with made-up companies beside your own data."""

from __future__ import annotations

import os
import socket
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from dnbmon_site.operations.processes.background import start_in_background
from dnbmon_site.operations.processes.banner import hints, welcome
from dnbmon_site.operations.processes.demo import Demo, only_one
from dnbmon_site.operations.processes.pidfile import leave_note, note_path
from dnbmon_site.operations.processes.ports import check_port, why_not_to_listen
from dnbmon_site.operations.processes.start import Plan, start_all
from dnbmon_site.operations.processes.tree import Failed, Stopped, Tree
from dnbmon_site.operations.processes.watcher import become_watcher
from dnbmon_site.required_settings import missing_settings


class Command(BaseCommand):
    help = "Start the web server and the worker. With --demo, add a D&B sandbox with sample data. Ctrl-C stops all."
    # The children check themselves; here it would only cost the time until something is to be seen.
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--demo", action="store_true", help="use sample companies, kept apart from your own data")
        parser.add_argument("--port", type=int, default=8000)
        parser.add_argument("--background", action="store_true", help="run in the background; stop with “make stop”")
        parser.add_argument(
            "--host",
            default="127.0.0.1",
            help="address to listen on; 0.0.0.0 is reachable from other machines (default: 127.0.0.1)",
        )
        folder = settings.VAR_DIR / "demo"
        parser.add_argument(
            "--demo-folder", type=Path, default=folder, help="data folder of the demo (default: var/demo)"
        )

    def handle(self, *, demo: bool, port: int, host: str, demo_folder: Path, background: bool, **options: Any) -> None:
        try:
            check_port(host, port)
            if background:
                start_in_background(port, self.report)
                return
            locks: list[int] = []
            with ExitStack() as stack:
                if demo:
                    locks.append(stack.enter_context(only_one(demo_folder)))
                plan = demo_plan(demo_folder, host, port) if demo else own_plan(host, port)
                locks.append(leave_note(note_path(settings.VAR_DIR, port), **about(plan)))
                self.run_until_told(plan, locks)
        except Failed as error:
            raise CommandError(str(error)) from error

    def run_until_told(self, plan: Plan, locks: list[int]) -> None:
        if not plan.demo:
            self.hint()
        try:
            with Tree(self.report) as tree:
                self.report("Starting …")
                welcome(plan, start_all(tree, plan), self.report)
                become_watcher(tree, locks)
        except Stopped:
            self.report("Stopped.")

    def hint(self) -> None:
        for line in hints(settings, missing_settings()):
            self.report(self.style.WARNING(line))

    def report(self, line: str) -> None:
        self.stdout.write(line)
        self.stdout.flush()


def about(plan: Plan) -> dict[str, Any]:
    """What `status` needs to know of it."""
    if plan.demo is None:
        return {"url": plan.url}
    return {"url": plan.url, "demo_folder": str(plan.demo.folder), "sandbox_port": plan.demo.sandbox_port}


def demo_plan(folder: Path, host: str, port: int) -> Plan:
    demo = Demo(folder.absolute(), host, sandbox_port(port))
    return Plan(host, port, {**demo.env(os.environ), "SITE_URL": own_url(host, port)}, demo)


def own_plan(host: str, port: int) -> Plan:
    # In the window people need the password, not a line for every job.
    env = {**os.environ, "PYTHONUNBUFFERED": "1", "LOG_LEVEL": settings.ENV.str("LOG_LEVEL", default="WARNING")}
    if settings.DEVELOPMENT and not settings.ENV.str("SITE_URL", default=""):
        env["SITE_URL"] = own_url(host, port)
    return Plan(host, port, env)


def own_url(host: str, port: int) -> str:
    """Where links in messages lead, when nobody has said it: to what is printed, where people are signed in."""
    return Plan(host, port, {}).url.rstrip("/")


def sandbox_port(port: int) -> int:
    """The one after the web's, so that it is easily found; any other where that is taken."""
    if not why_not_to_listen("127.0.0.1", port + 1):
        return port + 1
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
