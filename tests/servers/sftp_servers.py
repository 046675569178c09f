"""A real SFTP server on this machine, with a folder to look into."""

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from threading import Thread
from typing import Any

import paramiko
from paramiko.common import AUTH_FAILED, AUTH_SUCCESSFUL, OPEN_SUCCEEDED

USER, PASSWORD = "erp", "very secret words"


@dataclass
class FileTaker:
    """What it was sent lies in `folder`; `events` says what was done, in order."""

    folder: Path
    key: paramiko.PKey = field(default_factory=lambda: paramiko.RSAKey.generate(2048))
    let_in: str = ""
    port: int = 0
    events: list[str] = field(default_factory=list)
    # Writing breaks off after so many bytes.
    breaks_after: int | None = None
    # Names that it gives in lists instead of the true ones.
    renamed: dict[str, str] = field(default_factory=dict)
    # Names of files and folders that nobody may read.
    locked: set[str] = field(default_factory=set)

    def names(self) -> list[str]:
        return sorted(path.name for path in self.folder.rglob("*") if path.is_file())


class _Door(paramiko.ServerInterface):
    def __init__(self, taker: FileTaker) -> None:
        self.taker = taker

    def check_auth_password(self, username: str, password: str) -> int:
        self.taker.events.append(f"password {password}")
        return AUTH_SUCCESSFUL if (username, password) == (USER, PASSWORD) else AUTH_FAILED

    def check_auth_publickey(self, username: str, key: paramiko.PKey) -> int:
        return AUTH_SUCCESSFUL if key.get_base64() == self.taker.let_in else AUTH_FAILED

    def get_allowed_auths(self, username: str) -> str:
        return "password,publickey"

    def check_channel_request(self, kind: str, chanid: int) -> int:
        return OPEN_SUCCEEDED


class _File(paramiko.SFTPHandle):
    taker: FileTaker

    def write(self, offset: int, data: Any) -> int:
        limit = self.taker.breaks_after
        if limit is not None and offset + len(data) > limit:
            return int(paramiko.sftp.SFTP_FAILURE)
        return super().write(offset, data)

    def stat(self) -> Any:
        file: Any = getattr(self, "writefile", None) or self.readfile  # type: ignore[attr-defined]
        return paramiko.SFTPAttributes.from_stat(os.fstat(file.fileno()))


class _Folder(paramiko.SFTPServerInterface):
    def __init__(self, server: Any, taker: FileTaker) -> None:
        super().__init__(server)
        self.taker = taker

    def _real(self, path: str) -> Path:
        return self.taker.folder / path.lstrip("/")

    def open(self, path: str, flags: int, attr: Any) -> Any:
        handle = _File(flags)
        handle.taker = self.taker
        if self._real(path).name in self.taker.locked:
            return int(paramiko.sftp.SFTP_PERMISSION_DENIED)
        try:
            if not flags & (os.O_WRONLY | os.O_RDWR):
                handle.readfile = self._real(path).open("rb")  # type: ignore[attr-defined]
                self.taker.events.append(f"read {path}")
                return handle
            handle.writefile = self._real(path).open("wb")  # type: ignore[attr-defined]
        except OSError as error:
            return _number(error)
        self.taker.events.append(f"write {path}")
        return handle

    def list_folder(self, path: str) -> Any:
        found = []
        if self._real(path).name in self.taker.locked:
            return int(paramiko.sftp.SFTP_PERMISSION_DENIED)
        if not self._real(path).is_dir():
            return int(paramiko.sftp.SFTP_NO_SUCH_FILE)
        for one in sorted(self._real(path).iterdir()):
            attributes = paramiko.SFTPAttributes.from_stat(one.lstat())
            attributes.filename = self.taker.renamed.get(one.name, one.name)
            found.append(attributes)
        return found

    def stat(self, path: str) -> Any:
        try:
            return paramiko.SFTPAttributes.from_stat(self._real(path).stat())
        except OSError as error:
            return _number(error)

    def rename(self, oldpath: str, newpath: str) -> int:
        self.taker.events.append(f"rename {newpath}")
        self._real(oldpath).rename(self._real(newpath))
        return int(paramiko.sftp.SFTP_OK)

    def remove(self, path: str) -> int:
        self.taker.events.append(f"remove {path}")
        self._real(path).unlink()
        return int(paramiko.sftp.SFTP_OK)


def _number(error: OSError) -> int:
    """An error as the protocol has it."""
    return int(paramiko.SFTPServer.convert_errno(error.errno or 0))


@contextmanager
def taking_files(folder: Path, **columns: Any) -> Iterator[FileTaker]:
    folder.mkdir(parents=True, exist_ok=True)
    taker = FileTaker(folder, **columns)
    listener = socket.create_server(("127.0.0.1", taker.port))
    taker.port = listener.getsockname()[1]
    transports: list[paramiko.Transport] = []
    Thread(target=_serve, args=(listener, taker, transports), daemon=True).start()
    try:
        yield taker
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        for transport in transports:
            transport.close()


def _serve(listener: socket.socket, taker: FileTaker, transports: list[paramiko.Transport]) -> None:
    with suppress(OSError):
        while True:
            connection, _ = listener.accept()
            transport = paramiko.Transport(connection)
            transports.append(transport)
            transport.add_server_key(taker.key)
            transport.set_subsystem_handler("sftp", paramiko.SFTPServer, _Folder, taker)
            # What breaks off one connection must not end the server.
            with suppress(paramiko.SSHException, EOFError, OSError):
                transport.start_server(server=_Door(taker))
