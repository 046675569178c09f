"""Files to other machines by SFTP: to a server whose key a person has confirmed, under their names only when whole.

Nothing is sent to a server, not even a user name, before its key was compared with the confirmed one.
"""

from __future__ import annotations

import binascii
import io
import logging
import posixpath
import socket
from base64 import b64decode
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import paramiko
from django.utils import timezone
from django.utils.translation import gettext

from core.audit import record
from core.db import clean_text
from core.encryption import SecretLost, decrypted
from core.ids import time_first_id
from core.outbound.connections import NotReached, connect
from monitoring.exports.errors import BadKey, KeyNotConfirmed, NotDelivered
from monitoring.models import FileServer

CONNECT_SECONDS = 10.0
ANSWER_SECONDS = 30.0
KEY_KINDS: tuple[type[paramiko.PKey], ...] = (paramiko.Ed25519Key, paramiko.ECDSAKey, paramiko.RSAKey)
# An RSA key is one key, whatever it signs with.
RSA = ("rsa-sha2-512", "rsa-sha2-256")
# It logs every connection.
logging.getLogger("paramiko").setLevel(logging.WARNING)


# The server's key


def fingerprint(host_key: str) -> str:
    """As `ssh-keygen -l` shows it, so that people can compare."""
    kind, _, body = host_key.partition(" ")
    with suppress(paramiko.SSHException, binascii.Error, ValueError):
        return f"{kind} {paramiko.PKey.from_type_string(kind, b64decode(body)).fingerprint}"
    return kind


def confirm_key(server: FileServer, *, offered: str, by: str) -> bool:
    """From now on this is the server's key; False where it has shown another one since the person looked."""
    as_seen = FileServer.objects.filter(pk=server.pk, offered_key=offered).exclude(offered_key="")
    confirmed = as_seen.update(host_key=offered, offered_key="", confirmed_by=by, confirmed_at=timezone.now())
    server.refresh_from_db()
    if confirmed:
        words = gettext("Key of the file server %(name)s confirmed: %(key)s")
        words %= {"name": server, "key": fingerprint(offered)}
        record(actor=by, action="file server.confirm", thing=server, summary=words)
    return bool(confirmed)


def _check_key(server: FileServer, shown: str) -> None:
    if shown == server.host_key:
        return
    FileServer.objects.filter(pk=server.pk).update(offered_key=shown)
    server.offered_key = shown
    if not server.host_key:
        raise KeyNotConfirmed(
            gettext("The key of %(host)s is not confirmed: %(key)s. Confirm it under “File servers”.")
            % {"host": server.host, "key": fingerprint(shown)}
        )
    raise KeyNotConfirmed(
        gettext(
            "%(host)s offers a different key than the confirmed one (%(key)s instead of %(confirmed)s). It may be a "
            "different machine, so nothing was sent. Ask the server's administrator."
        )
        % {"host": server.host, "key": fingerprint(shown), "confirmed": fingerprint(server.host_key)}
    )


# Signing in


def read_private_key(text: str) -> paramiko.PKey:
    """An unencrypted private key; raises BadKey."""
    for kind in KEY_KINDS:
        try:
            return kind.from_private_key(io.StringIO(text))
        except paramiko.PasswordRequiredException as error:
            raise BadKey(
                gettext("The key has a passphrase. Remove it with ssh-keygen -p; the key is stored encrypted here.")
            ) from error
        except (paramiko.SSHException, ValueError, IndexError):
            continue
    raise BadKey(
        gettext(
            "This is not a valid private key. Enter one that begins with -----BEGIN OPENSSH PRIVATE KEY----- "
            "or similar."
        )
    )


@contextmanager
def signed_in(server: FileServer) -> Iterator[paramiko.SFTPClient]:
    """A session with the server; raises NotDelivered for whatever goes wrong, inside as well."""
    if server.maintainer_has_left:
        words = gettext(
            "%(name)s, who maintained the file server, was deactivated or removed. No files are sent until another "
            "user opens the file server and saves it."
        )
        raise NotDelivered(words % {"name": server.created_by})
    try:
        with closing(_greeted(server)) as transport:
            _sign_in(server, transport)
            client = paramiko.SFTPClient.from_transport(transport)
            if client is None:
                raise NotDelivered(
                    gettext("%(host)s does not offer SFTP. Ask the server's administrator to enable it.")
                    % {"host": server.host}
                )
            client.get_channel().settimeout(ANSWER_SECONDS)  # type: ignore[union-attr]  # it was just opened
            yield client
    except FileNotFoundError as error:
        raise NotDelivered(
            gettext("The folder does not exist on the server. Create it or enter a different folder.")
        ) from error
    except PermissionError as error:
        raise NotDelivered(
            gettext("%(user_name)s has no write permission for the folder on %(host)s.")
            % {"user_name": server.user_name, "host": server.host}
        ) from error
    except (OSError, EOFError, paramiko.SSHException) as error:
        raise NotDelivered(
            gettext("Could not connect to %(host)s: %(error)s.")
            % {"host": server.host, "error": error or type(error).__name__}
        ) from error


def _greeted(server: FileServer) -> paramiko.Transport:
    """Connected to the machine whose key is the confirmed one."""
    transport = paramiko.Transport(_reached(server))
    try:
        if server.host_key:
            kind = server.host_key.partition(" ")[0]
            transport.get_security_options().key_types = RSA if kind == "ssh-rsa" else (kind,)
        transport.start_client(timeout=CONNECT_SECONDS)
        key = transport.get_remote_server_key()
        _check_key(server, f"{key.get_name()} {key.get_base64()}")
    except paramiko.ssh_exception.IncompatiblePeer as error:
        transport.close()
        return _offered_key(server, error)
    except BaseException:
        transport.close()
        raise
    return transport


def _offered_key(server: FileServer, error: Exception) -> paramiko.Transport:
    """It has no key of the confirmed kind any more: see which one it has, so that a person can judge."""
    if not server.host_key:
        raise NotDelivered(
            gettext("%(host)s supports none of the required SSH methods: %(error)s.")
            % {"host": server.host, "error": error}
        ) from error
    with closing(paramiko.Transport(_reached(server))) as transport:
        transport.start_client(timeout=CONNECT_SECONDS)
        key = transport.get_remote_server_key()
        _check_key(server, f"{key.get_name()} {key.get_base64()}")
    raise NotDelivered(
        gettext("Could not connect to %(host)s: %(error)s.") % {"host": server.host, "error": error}
    ) from error


def _reached(server: FileServer) -> socket.socket:
    try:
        return connect(server.host, server.port, CONNECT_SECONDS)
    except NotReached as error:
        raise NotDelivered(
            gettext("Could not connect to %(host)s: %(error)s.") % {"host": server.host, "error": error}
        ) from error


def _sign_in(server: FileServer, transport: paramiko.Transport) -> None:
    transport.auth_timeout = ANSWER_SECONDS
    try:
        if server.encrypted_key:
            transport.auth_publickey(server.user_name, read_private_key(decrypted(server.encrypted_key)))
        else:
            transport.auth_password(server.user_name, decrypted(server.encrypted_password))
    except SecretLost as error:
        raise NotDelivered(
            gettext("SECRET_KEY was changed. Enter the password or private key of the file server again.")
        ) from error
    except paramiko.AuthenticationException as error:
        what = gettext("private key") if server.encrypted_key else gettext("password")
        raise NotDelivered(
            gettext("%(host)s rejected the login of %(user_name)s with this %(what)s.")
            % {"host": server.host, "user_name": server.user_name, "what": what}
        ) from error


# Files


def deliver(server: FileServer, folder: str, paths: Iterable[Path]) -> None:
    """Send them in this order; each is under its own name only when the server has all of it."""
    with signed_in(server) as client:
        for path in paths:
            _put(client, path, posixpath.join(server.folder, folder))


def _put(client: paramiko.SFTPClient, path: Path, folder: str) -> None:
    part = posixpath.join(folder, f".{path.name}.part")
    client.put(str(path), part, confirm=True)
    client.rename(part, posixpath.join(folder, path.name))


def try_out(server: FileServer) -> str:
    """What is wrong with it, or nothing: an empty file was written there, and taken away again."""
    try:
        with signed_in(server) as client:
            path = posixpath.join(server.folder, f".dnbmon-test-{time_first_id().hex}.part")
            client.putfo(io.BytesIO(b""), path, confirm=False)
            client.remove(path)
    except NotDelivered as error:
        return clean_text(str(error))
    return ""
