"""Why an exchange broke off, in a few words."""

import http.client

import requests
import urllib3

# The texts of these exceptions may hold headers, so none of them is passed on.
_REASONS: tuple[tuple[type[BaseException], str], ...] = (
    (requests.exceptions.InvalidURL, "the address is not one"),
    (requests.exceptions.InvalidSchema, "the address is not one"),
    (requests.exceptions.MissingSchema, "the address is not one"),
    (requests.exceptions.InvalidHeader, "the request could not be formed"),
    (urllib3.exceptions.NameResolutionError, "the host name cannot be resolved"),
    (urllib3.exceptions.ProxyError, "the proxy does not let it through"),
    (urllib3.exceptions.SSLError, "the secure connection could not be made"),
    (http.client.IncompleteRead, "cut off in the middle of the answer"),
    (urllib3.exceptions.InvalidChunkLength, "cut off in the middle of the answer"),
    (http.client.RemoteDisconnected, "connection closed before an answer came"),
    (ConnectionRefusedError, "connection refused"),
    (ConnectionResetError, "connection reset"),
    (BrokenPipeError, "connection reset"),
    (ConnectionAbortedError, "connection closed before an answer came"),
    (TimeoutError, "timed out"),
    (requests.exceptions.Timeout, "timed out"),
    (urllib3.exceptions.TimeoutError, "timed out"),
)


def describe(error: BaseException) -> str:
    chain = _chain(error)
    for kind, reason in _REASONS:
        if any(isinstance(link, kind) for link in chain):
            return reason
    return "the connection failed"


def _chain(error: BaseException) -> list[BaseException]:
    chain: list[BaseException] = []
    waiting: list[object] = [error]
    while waiting and len(chain) < 20:
        link = waiting.pop()
        if isinstance(link, BaseException) and link not in chain:
            chain.append(link)
            waiting += [*link.args, getattr(link, "reason", None), link.__cause__, link.__context__]
    return chain
