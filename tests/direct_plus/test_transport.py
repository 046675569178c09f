"""One exchange over a real socket: what is kept, what is said about it, and that the time limit holds."""

import gzip
import ipaddress
import socket
import ssl
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given, settings
from hypothesis import strategies as st

from direct_plus.transport import Answer, Request, Transport
from tests.servers.scripted_servers import Script, answering, dripping, resetting, sending, serving, silent

HEAD = b"HTTP/1.1 200 OK\r\nDate: Thu, 08 Jan 2026 11:06:48 GMT\r\n"


def exchange(url: str, timeout: float = 5, method: str = "GET") -> Answer:
    return Transport(url).exchange(Request(method, f"{url}/x", "Bearer t"), timeout)


def test_a_whole_answer_is_kept_with_times_and_headers() -> None:
    before = datetime.now(UTC)
    with serving(answering(b'{"a": 1}', headers=("X-Some: thing",))) as server:
        answer = exchange(server.url)
    assert (answer.status, answer.body, answer.failure, answer.sent) == (200, b'{"a": 1}', None, True)
    assert answer.headers["x-some"] == "thing"
    assert before <= answer.started_at <= answer.ended_at <= datetime.now(UTC)


def test_an_answer_without_length_that_closes_cleanly_is_whole() -> None:
    with serving(sending(HEAD + b"\r\nthe body")) as server:
        answer = exchange(server.url)
    assert (answer.body, answer.failure) == (b"the body", None)


def test_a_chunked_answer_is_whole_when_its_end_was_seen() -> None:
    with serving(sending(HEAD + b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n")) as server:
        answer = exchange(server.url)
    assert (answer.body, answer.failure) == (b"abcde", None)


@pytest.mark.parametrize("sent", [b"3\r\nabc\r\n", b"3\r\nabc\r\n2\r\nd", b"3\r\nabc", b"3\r\nabc\r\nzz\r\n"])
def test_a_chunked_answer_without_its_end_is_torn(sent: bytes) -> None:
    with serving(sending(HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + sent)) as server:
        answer = exchange(server.url)
    assert answer.status == 200
    assert answer.body.startswith(b"abc")
    assert answer.failure is not None and "cut off" in answer.failure


def test_an_answer_shorter_than_announced_is_torn_and_kept() -> None:
    with serving(answering(b"12345", length=10)) as server:
        answer = exchange(server.url)
    assert (answer.status, answer.body) == (200, b"12345")
    assert answer.failure is not None and "cut off" in answer.failure
    assert not answer.timed_out


def test_a_body_cut_by_a_reset_keeps_what_came() -> None:
    with serving(resetting(HEAD + b"Content-Length: 100\r\n\r\nsome")) as server:
        answer = exchange(server.url)
    assert (answer.status, answer.body) == (200, b"some")
    assert answer.failure == "connection reset"


def test_a_reset_before_any_answer_has_no_status() -> None:
    with serving(resetting()) as server:
        answer = exchange(server.url)
    assert (answer.status, answer.body, answer.sent) == (0, b"", True)
    assert answer.failure == "connection reset"


def test_a_close_before_any_answer_is_a_failure_of_a_sent_call() -> None:
    with serving(sending(b"")) as server:
        answer = exchange(server.url)
    assert (answer.status, answer.sent) == (0, True)
    assert answer.failure == "connection closed before a response arrived"


def test_a_refused_connection_is_known_never_to_have_been_sent() -> None:
    with socket.create_server(("127.0.0.1", 0)) as unused:
        port = unused.getsockname()[1]
    answer = exchange(f"http://127.0.0.1:{port}")
    assert (answer.status, answer.failure, answer.sent) == (0, "connection refused", False)


def test_an_unknown_host_is_known_never_to_have_been_sent() -> None:
    answer = exchange("http://no-such-host.invalid")
    assert answer.failure is not None
    assert (answer.status, answer.sent) == (0, False)


def test_silence_ends_at_the_limit() -> None:
    with serving(silent(3)) as server:
        answer, took = timed(server.url, 0.4)
    assert (answer.status, answer.failure, answer.timed_out) == (0, "timed out after 0.4 s", True)
    assert 0.4 <= took < 2


def test_a_drip_of_header_bytes_does_not_outlast_the_limit() -> None:
    with serving(dripping(b"HTTP/1.1 200 OK\r\nX-Slow: ", b"a" * 100)) as server:
        answer, took = timed(server.url, 0.5)
    assert (answer.status, answer.timed_out) == (0, True)
    assert took < 2


def test_a_drip_of_body_bytes_does_not_outlast_the_limit_and_is_kept() -> None:
    with serving(dripping(HEAD + b"Content-Length: 500\r\n\r\n", b"abcdefghij" * 50)) as server:
        answer, took = timed(server.url, 0.5)
    assert (answer.status, answer.failure) == (200, "timed out after 0.5 s")
    assert answer.body.startswith(b"abcd") and len(answer.body) < 20
    assert took < 2


def test_a_drip_inside_a_chunk_is_kept_too() -> None:
    with serving(dripping(HEAD + b"Transfer-Encoding: chunked\r\n\r\n1f4\r\n", b"abcdefghij" * 50)) as server:
        answer, took = timed(server.url, 0.5)
    assert answer.timed_out and answer.body.startswith(b"abcd")
    assert took < 2


def test_after_giving_up_nothing_more_is_taken_in_and_the_socket_is_shut() -> None:
    noticed = threading.Event()

    def drip_until_shut(client: socket.socket) -> None:
        client.sendall(HEAD + b"Content-Length: 500\r\n\r\n")
        client.settimeout(2)
        if client.recv(1) == b"":
            noticed.set()

    with serving(drip_until_shut) as server:
        answer = exchange(server.url, 0.3)
        assert noticed.wait(1)
    assert answer.body == b""


def test_a_host_whose_name_takes_too_long_is_never_called(monkeypatch: pytest.MonkeyPatch) -> None:
    real = socket.getaddrinfo

    def slow(*args: object, **kwargs: object) -> object:
        time.sleep(1)
        return real(*args, **kwargs)  # type: ignore[arg-type]

    monkeypatch.setattr(socket, "getaddrinfo", slow)
    with serving(answering(b"{}")) as server:
        answer, took = timed(server.url, 0.3)
        time.sleep(1)
        assert server.requests == []
    assert answer.timed_out and not answer.sent
    assert took < 0.9


def test_a_connection_is_used_again() -> None:
    with serving(answering(b"{}")) as server:
        transport = Transport(server.url)
        for _ in range(3):
            assert transport.exchange(Request("GET", f"{server.url}/x", "Bearer t"), 5).failure is None
        assert (server.connections, len(server.requests)) == (1, 3)


def test_a_connection_that_rested_is_not_used_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("direct_plus.transport.MAX_REST", 0)
    with serving(answering(b"{}")) as server:
        transport = Transport(server.url)
        for _ in range(2):
            transport.exchange(Request("GET", f"{server.url}/x", "Bearer t"), 5)
        assert server.connections == 2


def test_a_connection_closed_while_it_rested_costs_no_call() -> None:
    with serving(sending(HEAD + b"Content-Length: 2\r\n\r\n{}")) as server:
        transport = Transport(server.url)
        for _ in range(3):
            assert transport.exchange(Request("GET", f"{server.url}/x", "Bearer t"), 5).failure is None
            time.sleep(0.05)


@pytest.mark.parametrize("status", ["301 Moved", "302 Found", "307 Temporary", "308 Permanent"])
def test_redirects_are_not_followed(status: str) -> None:
    with serving(answering(b'{"error": {}}', status, ("Location: /elsewhere",))) as server:
        answer = exchange(server.url)
        assert len(server.requests) == 1
    assert (answer.status, answer.failure) == (int(status[:3]), None)
    assert answer.headers["Location"] == "/elsewhere"
    assert answer.body == b'{"error": {}}'


@pytest.mark.parametrize("status", ["503 Busy", "429 Too Many", "500 Oops", "408 Slow"])
def test_nothing_is_repeated_whatever_the_answer(status: str) -> None:
    with serving(answering(b"", status, ("Retry-After: 0",))) as server:
        exchange(server.url)
        assert len(server.requests) == 1


@pytest.mark.parametrize("script", [sending(b""), resetting(), sending(HEAD + b"Content-Length: 9\r\n\r\n1")])
def test_nothing_is_repeated_when_the_connection_breaks(script: object) -> None:
    with serving(script) as server:  # type: ignore[arg-type]
        exchange(server.url)
        time.sleep(0.1)
        assert len(server.requests) == 1


def test_plain_answers_are_asked_for() -> None:
    with serving(answering(b"{}")) as server:
        exchange(server.url)
        assert b"accept-encoding: identity" in server.requests[0].lower()


def test_a_compressed_answer_is_read_all_the_same() -> None:
    with serving(answering(gzip.compress(b'{"a": 1}'), headers=("Content-Encoding: gzip",))) as server:
        answer = exchange(server.url)
    assert (answer.body, answer.failure) == (b'{"a": 1}', None)


def test_of_a_torn_compressed_answer_the_readable_part_is_kept() -> None:
    packed = gzip.compress(bytes(range(256)) * 100)
    with serving(answering(packed[:-20], headers=("Content-Encoding: gzip",))) as server:
        answer = exchange(server.url)
    assert answer.failure == "the compressed response is incomplete"
    assert answer.body.startswith(bytes(range(100)))


def test_what_is_compressed_in_name_only_is_kept_as_it_came() -> None:
    with serving(answering(b"plain", headers=("Content-Encoding: gzip",))) as server:
        answer = exchange(server.url)
    assert (answer.body, answer.failure) == (b"plain", "the compressed response cannot be read")


def test_the_time_at_dnb_is_that_of_the_transaction() -> None:
    body = b'{"transactionDetail": {"transactionTimestamp": "2026-01-08T11:06:47.941Z"}}'
    with serving(answering(body, headers=("Date: Thu, 01 Jan 2026 00:00:00 GMT",))) as server:
        assert exchange(server.url).dnb_time == datetime(2026, 1, 8, 11, 6, 47, 941000, UTC)


@pytest.mark.parametrize("body", [b"", b"<html>", b'{"transactionDetail": {"transactionTimestamp": "soon"}}', b"[1]"])
def test_the_time_at_dnb_is_else_that_of_the_http_answer(body: bytes) -> None:
    with serving(answering(body, headers=("Date: Thu, 08 Jan 2026 11:06:48 GMT",))) as server:
        assert exchange(server.url).dnb_time == datetime(2026, 1, 8, 11, 6, 48, tzinfo=UTC)


@pytest.mark.parametrize("date", ["", "yesterday", "Thu, 99 Jan 2026 11:06:48 GMT"])
def test_without_a_readable_time_none_is_heard(date: str) -> None:
    with serving(answering(b"{}", headers=(f"Date: {date}",))) as server:
        assert exchange(server.url).dnb_time is None


@settings(max_examples=40, deadline=None)
@given(st.binary(max_size=300))
def test_rubbish_instead_of_http_never_raises(rubbish: bytes) -> None:
    with serving(sending(rubbish)) as server:
        answer = exchange(server.url, 2)
    assert answer.status == 0 or rubbish.startswith(b"HTTP")
    assert answer.sent


def test_a_proxy_of_the_environment_does_not_stand_before_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    with serving(answering(b"{}")) as server:
        assert exchange(server.url).status == 200


def test_a_proxy_of_the_environment_is_used_for_others(monkeypatch: pytest.MonkeyPatch) -> None:
    with serving(answering(b"{}")) as proxy:
        monkeypatch.setenv("HTTP_PROXY", proxy.url)
        monkeypatch.delenv("NO_PROXY", raising=False)
        monkeypatch.delenv("no_proxy", raising=False)
        answer = exchange("http://plus.example")
        assert proxy.requests[0].startswith(b"GET http://plus.example/x ")
    assert (answer.status, answer.sent) == (200, True)


def test_netrc_does_not_replace_the_authorisation(monkeypatch: pytest.MonkeyPatch, tmp_path: object) -> None:
    netrc = f"{tmp_path}/netrc"
    with open(netrc, "w") as file:
        file.write("machine plus.example login me password mine\n")
    with serving(answering(b"{}")) as proxy:
        monkeypatch.setenv("NETRC", netrc)
        monkeypatch.setenv("HTTP_PROXY", proxy.url)
        monkeypatch.delenv("NO_PROXY", raising=False)
        monkeypatch.delenv("no_proxy", raising=False)
        exchange("http://plus.example")
        assert b"Authorization: Bearer t\r\n" in proxy.requests[0]


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    alternative = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    now = datetime.now(UTC)
    builder = x509.CertificateBuilder(name, name, key.public_key(), 1, now - timedelta(1), now + timedelta(1))
    signed = builder.add_extension(alternative, critical=False).sign(key, hashes.SHA256())
    text = serialization.Encoding.PEM
    secret = key.private_bytes(text, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    path = tmp_path_factory.mktemp("tls") / "certificate.pem"
    path.write_bytes(secret + signed.public_bytes(text))
    return path


def exchange_securely(script: Script, certificate: Path, timeout: float, *, trusted: bool = True) -> Answer:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate)
    with serving(script, tls=context) as server:
        transport = Transport(server.url)
        if trusted:
            transport._http.verify = str(certificate)
        return transport.exchange(Request("GET", f"{server.url}/x", "Bearer t"), timeout)


def test_a_secure_answer_is_kept(certificate: Path) -> None:
    answer = exchange_securely(answering(b"{}"), certificate, 5)
    assert (answer.status, answer.body, answer.failure) == (200, b"{}", None)


def test_an_unknown_certificate_is_refused_before_anything_is_sent(certificate: Path) -> None:
    answer = exchange_securely(answering(b"{}"), certificate, 5, trusted=False)
    assert (answer.status, answer.failure, answer.sent) == (0, "the secure connection failed", False)


@pytest.mark.parametrize("at_once", [b"HTTP/1.1 200 OK\r\nX-Slow: ", HEAD + b"Content-Length: 500\r\n\r\n"])
def test_a_secure_drip_does_not_outlast_the_limit_either(at_once: bytes, certificate: Path) -> None:
    start = time.monotonic()
    answer = exchange_securely(dripping(at_once, b"abcdefghij" * 50), certificate, 0.5)
    assert time.monotonic() - start < 2
    assert answer.timed_out
    assert answer.body.startswith(b"abcd") == (answer.status == 200)


def test_a_secure_answer_that_is_cut_is_torn(certificate: Path) -> None:
    answer = exchange_securely(answering(b"12345", length=10), certificate, 5)
    assert (answer.status, answer.body) == (200, b"12345")
    assert answer.failure is not None


def timed(url: str, timeout: float) -> tuple[Answer, float]:
    start = time.monotonic()
    answer = exchange(url, timeout)
    return answer, time.monotonic() - start
