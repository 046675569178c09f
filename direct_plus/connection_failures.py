"""Why an exchange broke off, in a few words."""

import http.client

import requests
import urllib3

# The texts of these exceptions may hold headers, so none of them is passed on.
_REASONS: tuple[tuple[type[BaseException], str], ...] = (
    (requests.exceptions.InvalidURL, "the address is invalid"),
    (requests.exceptions.InvalidSchema, "the address is invalid"),
    (requests.exceptions.MissingSchema, "the address is invalid"),
    (requests.exceptions.InvalidHeader, "the request is invalid"),
    (urllib3.exceptions.NameResolutionError, "the host name cannot be resolved"),
    (urllib3.exceptions.ProxyError, "the proxy refused the connection"),
    (urllib3.exceptions.SSLError, "the secure connection failed"),
    (http.client.IncompleteRead, "the response was cut off"),
    (urllib3.exceptions.InvalidChunkLength, "the response was cut off"),
    (http.client.RemoteDisconnected, "connection closed before a response arrived"),
    (ConnectionRefusedError, "connection refused"),
    (ConnectionResetError, "connection reset"),
    (BrokenPipeError, "connection reset"),
    (ConnectionAbortedError, "connection closed before a response arrived"),
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
