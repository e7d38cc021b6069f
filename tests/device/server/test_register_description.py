"""The register interface is what its OpenAPI description says: schemathesis calls the running server by it."""

from __future__ import annotations

import json
from collections.abc import Iterator

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from memory_desk import SUPERVISOR
from schemathesis.checks import CHECKS
from server_host import Host

from device.server.description import describe

OPERATIONS = sorted(result.ok().label for result in schemathesis.openapi.from_dict(describe()).get_all_operations())
BEYOND_A_DESCRIPTION = {
    "ignored_auth",  # sends the key of these calls all the same; strangers are refused in a test of their own
    "positive_data_acceptance",  # a basket has to add up, and a currency to exist
}
PATIENT = settings(
    max_examples=25, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck), database=None
)


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Host]:
    with Host(tmp_path_factory.mktemp("described")) as running:
        yield running


@pytest.fixture(scope="module")
def register(host: Host) -> Iterator[httpx.Client]:
    with host.register() as client:
        client.post("/register/payments", json={"id": "0", "amount": {"minor": 500, "currency": "CNY"}})
        yield client


@pytest.mark.parametrize("label", OPERATIONS)
def test_any_call_gets_an_answer_that_is_described(host: Host, register: httpx.Client, label: str) -> None:
    schema = schemathesis.openapi.from_url(f"{host.address}/register/openapi.json")
    operation = next(result.ok() for result in schema.get_all_operations() if result.ok().label == label)
    key = register.headers["authorization"]
    checks = [check for check in CHECKS.get_all() if check.__name__ not in BEYOND_A_DESCRIPTION]

    @PATIENT
    @given(case=operation.as_strategy())
    def call(case: schemathesis.Case) -> None:
        case.call_and_validate(headers={"authorization": key}, checks=checks)

    call()


def test_every_address_of_registers_is_described(host: Host) -> None:
    described = describe()["paths"]
    with host.client() as stranger:
        for path, calls in described.items():
            for method in calls:
                answer = stranger.request(method, path.replace("{id}", "R-1"), json={})
                assert answer.status_code in (401, 422), path
        assert stranger.get("/register/openapi.json").json() == json.loads(json.dumps(describe()))


def test_a_day_of_a_register_is_as_described(host: Host, register: httpx.Client) -> None:
    schema = schemathesis.openapi.from_url(f"{host.address}/register/openapi.json")
    sale = register.get("/register/payments/0").json()["sale"]
    host.do(lambda desk: desk.pay(sale))
    paid = register.get("/register/payments/0")
    refund = {"id": "B", "payment": paid.json()["payment"], "amount": {"minor": 100, "currency": "CNY"}}
    answers = {
        ("/register/status", "GET"): register.get("/register/status"),
        ("/register/payments/{id}", "GET"): paid,
        ("/register/payments/{id}/cancel", "POST"): register.post("/register/payments/0/cancel"),
        ("/register/refunds", "POST"): register.post("/register/refunds", json={**refund, "badge": SUPERVISOR}),
        ("/register/refunds/{id}", "GET"): register.get("/register/refunds/B"),
        ("/register/close-day", "POST"): register.post("/register/close-day"),
    }
    assert [answer.status_code for answer in answers.values()] == [200, 200, 409, 201, 200, 200]
    for (path, method), answer in answers.items():
        schema[path][method].validate_response(answer)
