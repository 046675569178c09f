"""Processes that work on the one import of their database, and kill themselves at a given place where they are told to.

This one has everything loaded and forks one for each line that it reads, so that none has to load it all again:
create|work|confirm|show [the how-manieth step to die at]. Then it tells how that one ended: its exit code, which is
negative for a signal.
"""

import json
import os
import signal
import sys
import traceback
from collections import Counter
from collections.abc import Callable
from typing import Any

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "dnbmon_site.settings")
django.setup()

from core.models import AuditEntry  # noqa: E402
from portfolio.imports import apply, reading, upload  # noqa: E402
from portfolio.imports.confirm import confirm_import  # noqa: E402
from portfolio.imports.resume import work_on  # noqa: E402
from portfolio.imports.upload import create_import  # noqa: E402
from portfolio.imports.validate import validated_rows  # noqa: E402
from portfolio.models import Subject, SubjectImport  # noqa: E402
from portfolio.subjects import requests  # noqa: E402
from tests.builders.contracts import a_contract  # noqa: E402
from tests.builders.people import an_actor  # noqa: E402
from tests.builders.registrations import a_registration  # noqa: E402

CHUNK = 4
ENDED = "ended with"
PATIENCE = 120
STEPS = (
    *((reading, "store_chunk"), (reading, "move"), (upload, "move"), (apply, "request_subjects"), (apply, "move")),
    *((requests, "insert_new_values"), (requests, "record")),
)


def create() -> None:
    a_contract(cap=100)
    rows = [f"{100_000_000 + number}" for number in range(26)]
    content = "\n".join(["DUNS", *rows, rows[0], "abc", rows[25]]).encode()
    create_import(
        registration=a_registration(), content=content, file_name="x", mode="add", source="upload", requested_by="ann"
    )


def the_import() -> SubjectImport:
    return SubjectImport.objects.select_related("registration__contract").get()


def work() -> None:
    work_on(the_import())


def confirm() -> None:
    confirm_import(import_=the_import(), number=26, confirmed_by=an_actor("ann"), may_confirm=True)


def show() -> None:
    import_ = the_import()
    said: Counter[str] = Counter()
    for after in AuditEntry.objects.filter(action="request").values_list("after", flat=True):
        said.update(json.loads(after)["duns"])
    rows = [(row.line, row.duns, row.validation) for row in validated_rows(import_)]
    subjects = list(Subject.objects.filter(requested=True).order_by("company").values_list("company_id", flat=True))
    told = {"state": import_.state, "rows": rows, "requested": subjects, "said": max(said.values(), default=0)}
    print(json.dumps({**told, "audited": len(said), "new": import_.new_billable}))


def die_at(step: int) -> None:
    """Count before and after each of the steps, and die at that one."""
    passed = 0

    def dying(deed: Callable[..., Any]) -> Callable[..., Any]:
        def do(*args: Any, **kwargs: Any) -> Any:
            count()
            result = deed(*args, **kwargs)
            count()
            return result

        return do

    def count() -> None:
        nonlocal passed
        passed += 1
        if passed == step:
            os.kill(os.getpid(), signal.SIGKILL)

    for module, name in STEPS:
        setattr(module, name, dying(getattr(module, name)))


def obey(deed: str, *step: str) -> int:
    """In a forked process, which ends by itself if it hangs."""
    signal.alarm(PATIENCE)
    try:
        if step:
            die_at(int(step[0]))
        DEEDS[deed]()
    except BaseException:  # noqa: BLE001
        # Nothing may climb out of a forked child: above it stands the loop that reads the next order.
        traceback.print_exc()
        return 1
    sys.stdout.flush()
    return 0


def main() -> None:
    for line in sys.stdin:
        process = os.fork()
        if process == 0:
            os._exit(obey(*line.split()))
        print(ENDED, os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]), flush=True)


DEEDS = {"create": create, "work": work, "confirm": confirm, "show": show}

if __name__ == "__main__":
    for module in (reading, apply):
        vars(module)["CHUNK"] = CHUNK
    vars(apply)["CHUNKS_AT_ONCE"] = 1
    main()
