"""`manage.py up`: prepare the database, let the first person in, start web and worker; with a demo, its D&B too."""

from __future__ import annotations

import json
import sys
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass

from dnbmon_site.accounts.first_user import Access
from dnbmon_site.operations.processes.demo import Demo
from dnbmon_site.operations.processes.ports import is_everywhere
from dnbmon_site.operations.processes.tree import Tree, manage

SECONDS_TO_START = 60.0


@dataclass(frozen=True, slots=True)
class Plan:
    """Where the web answers, with which environment, and whether it is the demo."""

    host: str
    port: int
    env: Mapping[str, str]
    demo: Demo | None = None

    @property
    def url(self) -> str:
        host = "127.0.0.1" if is_everywhere(self.host) else self.host
        return f"http://{f'[{host}]' if ':' in host else host}:{self.port}/"

    @property
    def bind(self) -> str:
        return f"{f'[{self.host}]' if ':' in self.host else self.host}:{self.port}"


def start_all(tree: Tree, plan: Plan) -> Access:
    """Everything up and the web answering; what people need to come in."""
    if plan.demo:
        start_sandbox(tree, plan.demo, plan.env)
    tree.run("Preparing the database", *manage("migrate", "--verbosity=0"), env=plan.env)
    access = demo_access(tree, plan, plan.demo) if plan.demo else first_access(tree, plan)
    tree.start("The worker", *manage("worker"), env=plan.env)
    gunicorn = (sys.executable, "-m", "gunicorn", "--config", "python:dnbmon_site.gunicorn_conf", "--bind", plan.bind)
    web = tree.start("The web server", *gunicorn, env=plan.env)
    tree.wait_until(lambda: answers(f"{plan.url}health/live"), web, within=SECONDS_TO_START)
    return access


def start_sandbox(tree: Tree, demo: Demo, env: Mapping[str, str]) -> None:
    state = str(demo.folder / "sandbox.sqlite3")
    sandbox = manage("sandbox", "--demo", "--verbosity=0", "--port", str(demo.sandbox_port), "--state", state)
    child = tree.start("The sandbox", *sandbox, env=env, is_ground=True)
    tree.wait_until(lambda: answers(demo.sandbox_url), child, within=SECONDS_TO_START)


def demo_access(tree: Tree, plan: Plan, demo: Demo) -> Access:
    """The first start lets pulling begin; later ones leave everything as people have made it."""
    known = demo.remembered()
    if known:
        return known
    start = manage("sync_registrations", "--start", "--every", "1")
    tree.run("Finding the sandbox's registrations", *start, env=plan.env)
    access = first_access(tree, plan, "--again")
    tree.run("Preparing the demo's contract and second user", *manage("prepare_demo"), env=plan.env)
    demo.remember(access)
    return access


def first_access(tree: Tree, plan: Plan, *more: str) -> Access:
    printed = tree.run("Creating the first user", *manage("first_access", "--json", *more), env=plan.env)
    return Access(**json.loads(printed))


def answers(url: str) -> bool:
    """Any answer will do: that it is one of HTTP shows that somebody serves."""
    try:
        with urllib.request.urlopen(url, timeout=5):
            return True
    except urllib.error.HTTPError:
        return True
    except OSError:
        return False
