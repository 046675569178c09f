"""A backup that somebody doctored, or that another installation made, is refused and says what to do."""

from pathlib import Path

from tests.attacks.production import Production
from tests.support import manage

MAKE_AND_DOCTOR = """
import json, zstandard
from pathlib import Path
from django.core.management import call_command
from dnbmon_site.backup.manifest import FILE, sum_of
call_command("backup", {folder!r}, format="rows")
(made,) = Path({folder!r}).glob("dnbmon-*")
people = made / "dnbmon_site.user.jsonl.zst"
stream = zstandard.ZstdCompressor().compress(b'{{"id": "mallory", "is_superuser": true}}')
people.write_bytes(stream)
manifest = json.loads((made / FILE).read_text())
manifest["files"][people.name] = sum_of(people)
(made / FILE).write_text(json.dumps(manifest))
"""


def test_a_doctored_backup_is_refused(production: Production, tmp_path: Path) -> None:
    production.inside(MAKE_AND_DOCTOR.format(folder=str(tmp_path)))
    env = {name: value for name, value in production.env.items() if name != "PYTHONPATH"}
    done = manage("restore", str(tmp_path), env={**env, "DATABASE_URL": f"sqlite:///{tmp_path}/empty.sqlite3"})
    assert done.returncode == 1
    assert "not signed with this SECRET_KEY" in done.stderr and "--trust SUM" in done.stderr
    assert not (tmp_path / "empty.sqlite3").exists() or not (tmp_path / "empty.sqlite3").stat().st_size
