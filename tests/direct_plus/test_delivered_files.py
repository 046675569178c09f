"""Delivered files: names read from the right, headers in every spelling, lines as a stream."""

import errno
import hashlib
import json
import tracemalloc
import zipfile
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType

import pytest

from direct_plus import delivered_files
from direct_plus.delivered_files import FileKind, FileName, ListedFile, Refusal, UnreadableFile

WRITTEN = datetime(2026, 1, 5, 7, 52, 18, tzinfo=UTC)


def a_zip(
    folder: Path,
    content: bytes,
    name: str = "ACME_LOD_01_20260105075218_NOTIFICATION_1",
    members: Mapping[str, bytes] = MappingProxyType({}),
) -> Path:
    path = folder / f"{name}.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(f"{name}.txt", content)
        for member, text in members.items():
            archive.writestr(member.replace("__", "."), text)
    return path


@pytest.mark.parametrize(
    ("name", "reference", "kind", "number"),
    [
        ("ACME_20260105075218_SEEDFILE_1.zip", "ACME", FileKind.SEED, 1),
        ("ACME_LOD_01_20260105075218_NOTIFICATION_12.zip", "ACME_LOD_01", FileKind.NOTIFICATION, 12),
        ("ACME_20260105075218_SEEDFILE_HEADER.json", "ACME", FileKind.SEED_HEADER, None),
        ("ACME_20260105075218_SEED_HEADER.json", "ACME", FileKind.SEED_HEADER, None),
        ("ACME_20260105075218_NOTIFICATION_HEADER.json", "ACME", FileKind.NOTIFICATION_HEADER, None),
        ("ACME_20260105075218_Exceptions.zip", "ACME", FileKind.EXCEPTIONS, None),
        ("ACME_20260105075218_Exceptions_2.zip", "ACME", FileKind.EXCEPTIONS, 2),
        ("ACME_20260105075218_EXCEPTIONS.txt", "ACME", FileKind.EXCEPTIONS, None),
        ("ACME_20260105075218_DunsExport_1.zip", "ACME", FileKind.EXPORT, 1),
        ("incoming/ACME_20260105075218_DunsExport_1.ZIP", "ACME", FileKind.EXPORT, 1),
        ("A_20250101000000_SEEDFILE_1_20260105075218_SEEDFILE_2.zip", "A_20250101000000_SEEDFILE_1", FileKind.SEED, 2),
    ],
)
def test_names_are_read_from_the_right(name: str, reference: str, kind: FileKind, number: int | None) -> None:
    assert delivered_files.parse_file_name(name) == FileName(reference, WRITTEN, kind, number)


@pytest.mark.parametrize(
    "name",
    [
        "",
        "readme.txt",
        "ACME_20260105_NOTIFICATION_1.zip",
        "ACME_20261305075218_NOTIFICATION_1.zip",
        "_20260105075218_NOTIFICATION_1.zip",
        "ACME_20260105075218_SOMETHING_1.zip",
        "ACME_20260105075218_NOTIFICATION_1.zip.part",
        "ACME_20260105075218_NOTIFICATION_x.zip",
    ],
)
def test_other_names_are_none_of_dnbs(name: str) -> None:
    assert delivered_files.parse_file_name(name) is None


def test_a_notification_header_counts_by_type() -> None:
    header = {
        "reference": "ACME",
        "headerType": "NOTIFICATION",
        "fileTimeStamp": "2026-01-05T07:52:18Z",
        "totalRecordCount": 192_939_522,
        "productId": "cmptcs",
        "versionId": "v1",
        "files": [{"name": "ACME_20260105075218_NOTIFICATION_1.zip", "hash": "AB12"}],
        "notificationCount": [{"count": 191_706_866, "type": "UPDATE"}, {"count": "597862", "type": "SEED"}],
    }
    read = delivered_files.read_header(json.dumps({"fileHeader": header}).encode())
    assert (read.reference, read.header_type, read.written_at, read.total) == (
        "ACME", "NOTIFICATION", WRITTEN, 192_939_522,
    )  # fmt: skip
    assert read.files == (ListedFile("ACME_20260105075218_NOTIFICATION_1.zip", "ab12"),)
    assert read.counts == {"UPDATE": 191_706_866, "SEED": 597_862}
    assert (read.product_id, read.version_id) == ("cmptcs", "v1")


def test_header_keys_are_known_in_every_case() -> None:
    read = delivered_files.read_header(
        b'{"fileheader": {"headertype": "SEED", "productID": "p", "productVersion": "v2"}}'
    )
    assert (read.header_type, read.product_id, read.version_id) == ("SEED", "p", "v2")
    assert (read.reference, read.total, read.files, read.counts) == (None, None, (), {})


def test_odd_entries_of_a_header_are_left_out() -> None:
    sent = (
        b'{"fileHeader": {"files": [1, {}, {"name": "a.zip"}], "notificationCount": [2, {"type": "X"}, {"count": 1}]}}'
    )
    read = delivered_files.read_header(sent)
    assert (read.files, read.counts) == ((ListedFile("a.zip", None),), {})


@pytest.mark.parametrize("content", [b"", b"[]", b"{}", b'{"fileHeader": 1}', b"\xff"])
def test_what_is_no_header_is_refused(content: bytes) -> None:
    with pytest.raises(UnreadableFile, match="The header"):
        delivered_files.read_header(content)


def test_lines_come_without_ends_blanks_and_byte_order_mark(tmp_path: Path) -> None:
    path = a_zip(tmp_path, b'\xef\xbb\xbf{"a": 1}\r\n\r\n  \n{"b": 2}\n[3]')
    assert list(delivered_files.read_lines(path)) == [b'{"a": 1}', b'{"b": 2}', b"[3]"]


def test_plain_text_files_are_read_too(tmp_path: Path) -> None:
    path = tmp_path / "ACME_20260105075218_NOTIFICATION_1.txt"
    path.write_bytes(b"one\ntwo\n")
    assert list(delivered_files.read_lines(path)) == [b"one", b"two"]


def test_a_single_text_file_of_another_name_will_do(tmp_path: Path) -> None:
    path = a_zip(tmp_path, b"right\n").rename(tmp_path / "renamed.zip")
    assert list(delivered_files.read_lines(path)) == [b"right"]


@pytest.mark.parametrize("other", ["other__txt", "other__exe", "../evil__txt"])
def test_a_zip_with_several_files_is_refused(tmp_path: Path, other: str) -> None:
    path = a_zip(tmp_path, b"a\n", members={other: b"b\n"})
    with pytest.raises(UnreadableFile, match="2 files instead of one"):
        list(delivered_files.read_lines(path))


@pytest.mark.parametrize("name", ["../evil.txt", "/etc/evil.txt", "a/b.txt", "C:\\evil.txt", "evil.exe", "folder/"])
def test_a_path_in_a_zip_is_refused(tmp_path: Path, name: str) -> None:
    path = tmp_path / "ACME_20260105075218_NOTIFICATION_1.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(name, b"{}\n")
    with pytest.raises(UnreadableFile, match="instead of a plain text file"):
        list(delivered_files.read_lines(path))


def test_a_symbolic_link_in_a_zip_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "ACME_20260105075218_NOTIFICATION_1.zip"
    link = zipfile.ZipInfo("ACME_20260105075218_NOTIFICATION_1.txt")
    link.external_attr = 0o120777 << 16
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(link, "/etc/passwd")
    with pytest.raises(UnreadableFile, match="instead of a plain text file"):
        list(delivered_files.read_lines(path))


def test_an_encrypted_zip_is_refused(tmp_path: Path) -> None:
    path = a_zip(tmp_path, b"line\n")
    content = bytearray(path.read_bytes())
    for signature, place in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        content[content.index(signature) + place] |= 1
    path.write_bytes(content)
    with pytest.raises(UnreadableFile, match="cannot be opened"):
        list(delivered_files.read_lines(path))


def test_a_zip_that_unpacks_to_too_much_is_read_no_further(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(delivered_files, "FREE_TEXT", 10_000)
    monkeypatch.setattr(delivered_files, "MOST_RATIO", 20)
    path = a_zip(tmp_path, (b"0" * 99 + b"\n") * 100_000)
    read = 0
    with pytest.raises(UnreadableFile, match="unpacks to more than"):
        for _ in delivered_files.read_lines(path):
            read += 1
    assert 100 <= read < 100_000
    monkeypatch.setattr(delivered_files, "MOST_TEXT", 5_000)
    with pytest.raises(UnreadableFile, match="more than 5,000 bytes"):
        list(delivered_files.read_lines(path))


def test_the_directory_of_a_zip_does_not_fill_the_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(delivered_files, "LARGEST_DIRECTORY", 1_000)
    path = a_zip(tmp_path, b"a\n", members={f"{number:050}": b"" for number in range(20)})
    with pytest.raises(UnreadableFile, match="21 files instead of one"):
        list(delivered_files.read_lines(path))


def test_a_header_has_a_size_that_fits_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "ACME_20260105075218_SEED_HEADER.json"
    path.write_bytes(b'{"fileHeader": {"reference": "ACME"}}')
    assert delivered_files.read_header_file(path).reference == "ACME"
    monkeypatch.setattr(delivered_files, "LARGEST_HEADER", 10)
    with pytest.raises(UnreadableFile, match="larger than 10 bytes"):
        delivered_files.read_header_file(path)


def test_a_cut_zip_is_refused(tmp_path: Path) -> None:
    path = a_zip(tmp_path, b"line\n" * 1000)
    path.write_bytes(path.read_bytes()[:-30])
    with pytest.raises(UnreadableFile, match="not a complete zip file"):
        list(delivered_files.read_lines(path))


def test_damage_inside_a_zip_is_told(tmp_path: Path) -> None:
    path = a_zip(tmp_path, json.dumps(list(range(5000))).encode())
    content = bytearray(path.read_bytes())
    content[200:260] = bytes(60)
    path.write_bytes(content)
    with pytest.raises(UnreadableFile, match="is damaged"):
        list(delivered_files.read_lines(path))


@pytest.mark.parametrize("method", [zipfile.ZIP_LZMA, zipfile.ZIP_BZIP2])
def test_damage_is_told_for_every_method_of_compression(tmp_path: Path, method: int) -> None:
    path = tmp_path / "ACME_20260105075218_NOTIFICATION_1.zip"
    with zipfile.ZipFile(path, "w", method) as archive:
        archive.writestr("ACME_20260105075218_NOTIFICATION_1.txt", json.dumps(list(range(50_000))))
    content = bytearray(path.read_bytes())
    content[200:2000] = bytes(range(1, 226)) * 8
    path.write_bytes(content)
    with pytest.raises(UnreadableFile, match="is damaged"):
        list(delivered_files.read_lines(path))


def test_a_disk_that_fails_is_no_damage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def failing(*_: object) -> None:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(zipfile.ZipExtFile, "readline", failing)
    with pytest.raises(OSError, match="Input/output error"):
        list(delivered_files.read_lines(a_zip(tmp_path, b"a\n")))


def test_a_line_without_end_does_not_fill_the_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(delivered_files, "LONGEST_LINE", 1000)
    with pytest.raises(UnreadableFile, match="more than 1,000 bytes"):
        list(delivered_files.read_lines(a_zip(tmp_path, b"x" * 5000)))


def test_a_large_file_is_read_in_little_memory(tmp_path: Path) -> None:
    path = a_zip(tmp_path, (b'{"organization": {"duns": "804735132"}}' + b" " * 960 + b"\n") * 20_000)
    tracemalloc.start()
    try:
        assert sum(1 for _ in delivered_files.read_lines(path)) == 20_000
        assert tracemalloc.get_traced_memory()[1] < 3_000_000
    finally:
        tracemalloc.stop()


def test_exceptions_come_with_code_and_replacement(tmp_path: Path) -> None:
    content = b"DUNS\tCode\tInformation\n804735132\t10001\tNot found\n150483782\t40003\t804735132\n12345678\t10003\n"
    assert list(delivered_files.read_exceptions(a_zip(tmp_path, content))) == [
        Refusal("804735132", "10001", "Not found"),
        Refusal("150483782", "40003", "804735132"),
        Refusal("12345678", "10003", ""),
    ]


def test_letters_at_the_end_of_a_line_are_not_taken_for_a_byte_order_mark(tmp_path: Path) -> None:
    path = a_zip(tmp_path, "804735132\t10001\t«Müller»\n".encode())
    assert list(delivered_files.read_exceptions(path)) == [Refusal("804735132", "10001", "«Müller»")]


def test_an_export_keeps_numbers_as_they_stand(tmp_path: Path) -> None:
    assert list(delivered_files.read_export(a_zip(tmp_path, b"DUNS\n804735132\n15-048-3782\n"))) == [
        "804735132",
        "15-048-3782",
    ]


def test_the_hash_is_that_of_the_whole_file(tmp_path: Path) -> None:
    path = a_zip(tmp_path, b"line\n")
    assert delivered_files.sha256_of(path) == hashlib.sha256(path.read_bytes()).hexdigest()
