"""The parts of a multipart body, and the lines of a part that is text or a zip of text."""

import io
import re
import zipfile

_BOUNDARY = re.compile(r'boundary="?([^";]+)"?', re.IGNORECASE)
_NAME = re.compile(rb'[; ]name="?([^";\r\n]+)"?', re.IGNORECASE)


def parts(content_type: str, body: bytes) -> dict[str, bytes]:
    """Contents by name; empty where the body is no multipart at all."""
    found = _BOUNDARY.search(content_type)
    if found is None or not content_type.lower().startswith("multipart/"):
        return {}
    cut = b"\r\n--" + found[1].encode("latin-1")
    return dict(filter(None, map(_part, (b"\r\n" + body).split(cut)[1:])))


def _part(chunk: bytes) -> tuple[str, bytes] | None:
    head, blank, content = chunk.partition(b"\r\n\r\n")
    name = _NAME.search(head)
    return (name[1].decode("utf-8", "replace"), content) if blank and name else None


def lines(content: bytes) -> list[str]:
    """One D-U-N-S a line, without blanks; raises ValueError for a zip or a text that cannot be read."""
    if content.startswith(b"PK"):
        content = _unzipped(content)
    return [line for line in map(str.strip, content.decode("utf-8-sig").splitlines()) if line]


def _unzipped(content: bytes) -> bytes:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            return b"\n".join(archive.read(name) for name in archive.namelist())
    except zipfile.BadZipFile as bad:
        raise ValueError("not a zip") from bad
