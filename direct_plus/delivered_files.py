"""Files that D&B delivers: what their names say, what their headers hold, and their lines (contract section 5).

A file may hold 3 GB compressed and 190 million lines, so lines are read as a stream.
"""

import contextlib
import errno
import hashlib
import lzma
import re
import struct
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import IO, Any

from direct_plus.exact_json import parse_json
from direct_plus.payloads import BOM, parse_stamp

# A SEED notification can be thousands of lines long, so this only stops what is no file of lines at all.
LONGEST_LINE = 64_000_000
# D&B's zips have up to 3 GB, and lines of JSON become 10 to 50 times as long unpacked. What becomes more is a trap.
MOST_TEXT = 200_000_000_000
MOST_RATIO, FREE_TEXT = 300, 100_000_000
# A directory of one file; one with millions of entries would be read into memory whole.
LARGEST_DIRECTORY = 100_000
LARGEST_HEADER = 20_000_000
SYMBOLIC_LINK = 0o120000
DAMAGED = (zipfile.BadZipFile, zlib.error, lzma.LZMAError, struct.error, UnicodeError, EOFError, NotImplementedError)

_NAME = re.compile(
    r"(?P<reference>.+)_(?P<stamp>\d{14})_"
    r"(?P<kind>SEED(?:FILE)?_HEADER|NOTIFICATION_HEADER|SEEDFILE|NOTIFICATION|EXCEPTIONS|DUNSEXPORT)"
    r"(?:_(?P<number>\d{1,9}))?\.(?P<suffix>zip|txt|json)",
    re.ASCII | re.IGNORECASE,
)


class FileKind(StrEnum):
    SEED_HEADER = "seed header"
    NOTIFICATION_HEADER = "notification header"
    SEED = "seed"
    NOTIFICATION = "notification"
    EXCEPTIONS = "exceptions"
    EXPORT = "export"


_KINDS = {
    "SEED_HEADER": FileKind.SEED_HEADER,
    "SEEDFILE_HEADER": FileKind.SEED_HEADER,
    "NOTIFICATION_HEADER": FileKind.NOTIFICATION_HEADER,
    "SEEDFILE": FileKind.SEED,
    "NOTIFICATION": FileKind.NOTIFICATION,
    "EXCEPTIONS": FileKind.EXCEPTIONS,
    "DUNSEXPORT": FileKind.EXPORT,
}


class UnreadableFile(ValueError):
    """The message says what is wrong with it."""


@dataclass(frozen=True, slots=True)
class FileName:
    reference: str
    written_at: datetime
    kind: FileKind
    number: int | None


@dataclass(frozen=True, slots=True)
class ListedFile:
    name: str
    sha256: str | None


@dataclass(frozen=True, slots=True)
class FileHeader:
    reference: str | None
    header_type: str | None
    written_at: datetime | None
    total: int | None
    files: tuple[ListedFile, ...]
    counts: dict[str, int]
    product_id: str | None
    version_id: str | None


@dataclass(frozen=True, slots=True)
class Refusal:
    """One line of an Exceptions file; for a transferred company `information` holds the number that goes on."""

    duns: str
    code: str
    information: str


def parse_file_name(name: str) -> FileName | None:
    """None: not a file of D&B's. References may hold underscores and even stamps, so the end of the name counts."""
    match = _NAME.fullmatch(Path(name).name)
    if match is None:
        return None
    try:
        written_at = datetime.strptime(match["stamp"], "%Y%m%d%H%M%S").replace(tzinfo=UTC)
    except ValueError:
        return None
    number = int(match["number"]) if match["number"] else None
    return FileName(match["reference"], written_at, _KINDS[match["kind"].upper()], number)


def read_header(content: bytes) -> FileHeader:
    try:
        document = parse_json(content)
    except ValueError as error:
        raise UnreadableFile(f"The header is not JSON: {error}.") from None
    header = _member(document, "fileHeader")
    if not isinstance(header, dict):
        raise UnreadableFile("The header contains no fileHeader.")
    return FileHeader(
        reference=_word(header, "reference"),
        header_type=_word(header, "headerType"),
        written_at=parse_stamp(_word(header, "fileTimeStamp")),
        total=_number(_member(header, "totalRecordCount")),
        files=tuple(_listed_files(header)),
        counts=dict(_counts(header)),
        product_id=_word(header, "productId"),
        version_id=_word(header, "versionId") or _word(header, "productVersion"),
    )


def read_lines(path: Path) -> Iterator[bytes]:
    """The lines that are not blank, without their ends, of a text file or of the one text file in a zip."""
    most, total = _most_text(path), 0
    with _opened(path) as stream, _told_plainly(path):
        while line := stream.readline(LONGEST_LINE + 1):
            total += len(line)
            if total > most:
                raise UnreadableFile(f"{path.name} unpacks to more than {most:,} bytes, so it was not read further.")
            if len(line) > LONGEST_LINE:
                raise UnreadableFile(f"{path.name} contains a line of more than {LONGEST_LINE:,} bytes.")
            if stripped := line.removeprefix(BOM).strip(b" \r\n"):
                yield stripped


def _most_text(path: Path) -> int:
    return min(MOST_TEXT, max(FREE_TEXT, MOST_RATIO * path.stat().st_size)) if zipfile.is_zipfile(path) else MOST_TEXT


def read_header_file(path: Path) -> FileHeader:
    if path.stat().st_size > LARGEST_HEADER:
        raise UnreadableFile(f"{path.name} is larger than {LARGEST_HEADER:,} bytes, so it is not a header.")
    return read_header(path.read_bytes())


def read_exceptions(path: Path) -> Iterator[Refusal]:
    for line in read_lines(path):
        duns, code, information = (*line.decode(errors="replace").split("\t", 2), "", "")[:3]
        if duns.strip().upper() != "DUNS":
            yield Refusal(duns.strip(), code.strip(), information.strip())


def read_export(path: Path) -> Iterator[str]:
    """The numbers as they stand there: whoever takes them over has a verdict for each."""
    for line in read_lines(path):
        text = line.decode(errors="replace")
        if any(character.isdigit() for character in text):
            yield text


def text_size(path: Path) -> int:
    """How many bytes of text there are to read, unpacked; more than a zip says of itself is never read from it."""
    if not zipfile.is_zipfile(path):
        return path.stat().st_size
    with _told_plainly(path), _archive(path) as archive:
        return _text_member(archive, path).file_size


def sha256_of(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[IO[bytes]]:
    if not zipfile.is_zipfile(path):
        if path.suffix.lower() == ".zip":
            raise UnreadableFile(f"{path.name} is not a complete zip file. Download it again.")
        with path.open("rb") as stream:
            yield stream
        return
    with _told_plainly(path), _archive(path) as archive, archive.open(_text_member(archive, path)) as stream:
        yield stream


def _archive(path: Path) -> zipfile.ZipFile:
    with path.open("rb") as stream:
        end = zipfile._EndRecData(stream)  # type: ignore[attr-defined]  # before all of the directory is read
    if end and end[zipfile._ECD_SIZE] > LARGEST_DIRECTORY:  # type: ignore[attr-defined]
        raise UnreadableFile(f"{path.name} contains {end[zipfile._ECD_ENTRIES_TOTAL]:,} files instead of one.")  # type: ignore[attr-defined]
    return zipfile.ZipFile(path)


def _text_member(archive: zipfile.ZipFile, path: Path) -> zipfile.ZipInfo:
    """The one file in it. Nothing is ever written under a name from a zip; what has an odd one is no file of D&B's."""
    members = archive.infolist()
    if len(members) != 1:
        raise UnreadableFile(f"{path.name} contains {len(members):,} files instead of one.")
    (member,) = members
    if not _is_plain_text(member):
        name = member.orig_filename.encode(errors="replace").decode()[:100]
        raise UnreadableFile(f"{path.name} contains {name!r} instead of a plain text file.")
    return member


def _is_plain_text(member: zipfile.ZipInfo) -> bool:
    is_link = (member.external_attr >> 16) & 0o170000 == SYMBOLIC_LINK
    return not is_link and re.fullmatch(r"[^/\\:\0]+\.txt", member.orig_filename, re.IGNORECASE) is not None


def _damaged(path: Path, error: Exception) -> UnreadableFile:
    return UnreadableFile(f"{path.name} is damaged: {error}. Download it again.")


@contextlib.contextmanager
def _told_plainly(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        # As damaged data ends for some methods of compression. A disk that fails has another number.
        if error.errno not in (None, errno.EINVAL):
            raise
        raise _damaged(path, error) from error
    except DAMAGED as error:
        raise _damaged(path, error) from error
    except RuntimeError as error:
        # zipfile's only word for an encrypted member.
        raise UnreadableFile(f"{path.name} cannot be opened: {error}.") from error


def _member(document: Any, name: str) -> Any:
    """The case of these keys varies from file to file."""
    if not isinstance(document, dict):
        return None
    return next((value for key, value in document.items() if key.lower() == name.lower()), None)


def _word(document: dict[str, Any], name: str) -> str | None:
    value = _member(document, name)
    return value if isinstance(value, str) and value else None


def _number(value: Any) -> int | None:
    if isinstance(value, str) and value.isdecimal() and len(value) < 20:
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _listed_files(header: dict[str, Any]) -> Iterator[ListedFile]:
    listed = _member(header, "files")
    for entry in listed if isinstance(listed, list) else []:
        if isinstance(entry, dict) and (name := _word(entry, "name")):
            digest = _word(entry, "hash")
            yield ListedFile(name, digest.lower() if digest else None)


def _counts(header: dict[str, Any]) -> Iterator[tuple[str, int]]:
    listed = _member(header, "notificationCount")
    for entry in listed if isinstance(listed, list) else []:
        count = _number(_member(entry, "count"))
        if count is not None and (kind := _word(entry, "type")):
            yield kind, count
