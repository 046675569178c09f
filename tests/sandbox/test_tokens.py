"""Contract, section 1."""

import base64
from collections import Counter
from time import monotonic

import pytest
import requests

from direct_plus.sandbox.control.client import SandboxControl
from direct_plus.sandbox.run import Sandbox
from tests.servers.sandbox_client import REGISTRATIONS, Client, code

V3 = {"Content-Type": "application/x-www-form-urlencoded", "Cache-Control": "no-cache"}


def ask_v3(
    client: Client, secret: str = "sandbox-secret", body: str = "grant_type=client_credentials"
) -> requests.Response:
    return requests.post(f"{client.url}/v3/token", data=body, headers=V3, auth=("sandbox-key", secret), timeout=10)


def test_version_2_says_how_long_a_token_lasts(client: Client) -> None:
    answer = client.token()
    assert answer.status_code == 200
    assert answer.json().keys() == {"access_token", "expiresIn"}
    assert answer.json()["expiresIn"] == 86_400


def test_version_3_answers_in_its_own_words(client: Client) -> None:
    answer = ask_v3(client)
    assert answer.status_code == 200
    assert answer.json()["expires_in"] == 86_400
    assert answer.json()["token_type"] == "Bearer"


def test_tokens_of_both_versions_serve(client: Client) -> None:
    client.http.headers["Authorization"] = f"Bearer {ask_v3(client).json()['access_token']}"
    assert client.get(REGISTRATIONS).status_code == 200


def test_version_2_refuses_in_the_envelope(client: Client) -> None:
    answer = client.token(auth=("sandbox-key", "wrong"))
    assert (answer.status_code, code(answer)) == (401, "00041")
    assert "transactionDetail" in answer.json()


def test_version_3_refuses_with_a_string(client: Client) -> None:
    answer = ask_v3(client, secret="wrong")
    assert answer.status_code == 401
    assert answer.json()["error"] == "invalid_request"


@pytest.mark.parametrize(
    "header", ["", "Basic", "Basic !!!", "Bearer x", "Basic " + base64.b64encode(b"\xff").decode()]
)
def test_no_readable_credentials_is_a_refusal(sandbox: Sandbox, header: str) -> None:
    answer = requests.post(f"{sandbox.url}/v2/token", headers={"Authorization": header}, timeout=10)
    assert (answer.status_code, code(answer)) == (401, "00041")


@pytest.mark.parametrize("body", ["", "{}", "[]", '{"grant_type": "password"}', "nonsense"])
def test_a_grant_must_be_named(client: Client, body: str) -> None:
    answer = client.token(json=None, data=body)
    assert (answer.status_code, code(answer)) == (400, "00003")
    assert ask_v3(client, body="grant_type=password").status_code == 400


def test_a_token_expires_by_the_sandbox_clock(client: Client, control: SandboxControl) -> None:
    control.move_clock(86_399 - 10)
    assert client.get(REGISTRATIONS).status_code == 200
    control.move_clock(20)
    answer = client.get(REGISTRATIONS)
    assert (answer.status_code, code(answer)) == (401, "00040")
    client.renew()
    assert client.get(REGISTRATIONS).status_code == 200


def test_tokens_can_be_short(client: Client, control: SandboxControl) -> None:
    control.switch("token_seconds", 10)
    assert client.token().json()["expiresIn"] == 10


def test_all_tokens_can_be_made_to_expire(client: Client, control: SandboxControl) -> None:
    assert control.expire_tokens() > 0
    assert code(client.get(REGISTRATIONS)) == "00040"


def test_an_unknown_token_is_not_authorised(client: Client, control: SandboxControl) -> None:
    client.http.headers["Authorization"] = "Bearer nobody-issued-this"
    assert code(client.get(REGISTRATIONS)) == "00041"
    control.switch("unknown_token_code", "00014")
    assert code(client.get(REGISTRATIONS)) == "00014"


def test_no_token_is_not_authorised(sandbox: Sandbox) -> None:
    answer = requests.get(sandbox.url + REGISTRATIONS, timeout=10)
    assert (answer.status_code, code(answer)) == (401, "00004")


def test_credentials_can_be_changed(client: Client, control: SandboxControl) -> None:
    control.set_credentials("other", "secret:with:colons")
    assert client.token().status_code == 401
    assert client.token(auth=("other", "secret:with:colons")).status_code == 200


def test_five_calls_a_second_and_then_429(client: Client, control: SandboxControl) -> None:
    control.switch("calls_per_second", 5)
    answers = [client.get(REGISTRATIONS) for _ in range(8)]
    assert Counter(answer.status_code for answer in answers) == {200: 5, 429: 3}
    assert code(answers[-1]) == "00045"


def test_the_limit_holds_over_any_second(client: Client, control: SandboxControl) -> None:
    control.switch("calls_per_second", 20)
    taken: list[float] = []
    began = monotonic()
    while monotonic() < began + 1.3:
        if client.get(REGISTRATIONS).status_code == 200:
            taken.append(monotonic())
    assert 20 < len(taken) <= 40
    assert all(taken[n + 20] - taken[n] > 0.9 for n in range(len(taken) - 20))


def test_each_key_has_its_own_limit_and_token_calls_may_count(
    client: Client, control: SandboxControl, sandbox: Sandbox
) -> None:
    control.set_credentials("second", "secret", alone=False)
    other = Client(sandbox, "second", "secret")
    control.switch("calls_per_second", 1)
    assert client.get(REGISTRATIONS).status_code == 200
    assert other.get(REGISTRATIONS).status_code == 200
    assert code(client.token()) == "00045"
    control.switch("count_token_calls", False)
    assert client.token().status_code == 200
