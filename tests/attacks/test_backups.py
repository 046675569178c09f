"""A backup that somebody doctored, or that another installation made, is refused and says what to do."""

from pathlib import Path

from tests.attacks.production import Production
from tests.support import manage

MAKE_AND_DOCTOR = """
import io, json, zstandard
from pathlib import Path
from django.core.management import call_command
from dnbmon_site.operations.backup.manifest import FILE, sum_of
from dnbmon_site.accounts.models import User
User.objects.create_user("mallory", password="known to mallory")
call_command("backup", {folder!r}, format="rows")
(made,) = Path({folder!r}).glob("dnbmon-*")
people = made / "accounts.user.jsonl.zst"
lines = zstandard.ZstdDecompressor().stream_reader(io.BytesIO(people.read_bytes())).read().splitlines()
rows = [json.loads(line) for line in lines]
risen = [json.dumps({{**row, "is_superuser": True}}).encode() + b"\\n" for row in rows]
people.write_bytes(zstandard.ZstdCompressor().compress(b"".join(risen)))
manifest = json.loads((made / FILE).read_text())
manifest["files"][people.name] = sum_of(people)
(made / FILE).write_text(json.dumps(manifest))
"""


def test_a_doctored_backup_is_refused(production: Production, tmp_path: Path) -> None:
    production.inside(MAKE_AND_DOCTOR.format(folder=str(tmp_path)))
    done = manage(
        "restore", str(tmp_path), env={**production.env, "DATABASE_URL": f"sqlite:///{tmp_path}/empty.sqlite3"}
    )
    assert done.returncode == 1
    assert "not signed with this SECRET_KEY" in done.stderr and "--trust SUM" in done.stderr
    assert not (tmp_path / "empty.sqlite3").exists() or not (tmp_path / "empty.sqlite3").stat().st_size
