"""A plain client for these tests: requests with a token, and short names for the calls."""

from typing import Any

import pytest
import requests

from direct_plus.sandbox.control.client import SandboxControl
from direct_plus.sandbox.run import Sandbox

REFERENCE = "ACME_LOD_01"
LONG_AGO = "2020-01-01T00:00:00Z"
REGISTRATIONS = "/v1/monitoring/registrations"


class Client:
    def __init__(self, sandbox: Sandbox, key: str = "sandbox-key", secret: str = "sandbox-secret") -> None:
        self.url = sandbox.url
        self.key, self.secret = key, secret
        self.http = requests.Session()
        self.renew()

    def renew(self) -> None:
        token = self.token().json()["access_token"]
        self.http.headers["Authorization"] = f"Bearer {token}"

    def token(self, **changes: Any) -> requests.Response:
        asked: dict[str, Any] = {
            "json": {"grant_type": "client_credentials"},
            "auth": (self.key, self.secret),
            **changes,
        }
        return requests.post(f"{self.url}/v2/token", timeout=10, **asked)

    def get(self, path: str, **params: Any) -> requests.Response:
        timeout = params.pop("timeout", 10)
        return self.http.get(self.url + path, params=params, timeout=timeout, allow_redirects=False)

    def call(self, method: str, path: str, **more: Any) -> requests.Response:
        return self.http.request(method, self.url + path, timeout=10, **more)

    def pull(self, count: int | str | None = 100, reference: str = REFERENCE, **more: Any) -> requests.Response:
        params = {} if count is None else {"maxNotifications": count}
        return self.get(f"{REGISTRATIONS}/{reference}/notifications", **params, **more)

    def replay(self, start: str = LONG_AGO, count: int = 100, **more: Any) -> requests.Response:
        params = {"replayStartTimestamp": start, "maxNotifications": count}
        return self.get(f"{REGISTRATIONS}/{REFERENCE}/notifications/replay", **params, **more)

    def drain(self, count: int = 100) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        while items := self.pull(count).json().get("notifications"):
            found += items
        return found


def code(response: requests.Response) -> str | None:
    """The code of an answer, refusal or information."""
    body = response.json()
    found = body.get("error", {}).get("errorCode") or body.get("information", {}).get("code")
    return str(found) if found else None


def updates(count: int, first: int = 0) -> list[dict[str, Any]]:
    """So many different notifications."""
    return [
        {"type": "UPDATE", "organization": {"duns": f"{n:09d}"}, "elements": []} for n in range(first, first + count)
    ]


def numbers(response: requests.Response) -> list[str]:
    return [item["organization"]["duns"] for item in response.json()["notifications"]]


def stamps(response: requests.Response) -> list[str]:
    return [item["deliveryTimeStamp"] for item in response.json()["notifications"]]


def last_call(control: SandboxControl) -> dict[str, Any]:
    return control.calls()[-1]


def give_up(client: Client, timeout: float = 0.1, count: int = 100) -> None:
    """A pull that runs into its time limit."""
    with pytest.raises((requests.Timeout, requests.ConnectionError)):
        requests.get(
            f"{client.url}/v1/monitoring/registrations/{REFERENCE}/notifications?maxNotifications={count}",
            headers={"Authorization": str(client.http.headers["Authorization"])},
            timeout=timeout,
        )
