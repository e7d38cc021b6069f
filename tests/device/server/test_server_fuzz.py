from __future__ import annotations

import json
from collections.abc import Iterator
from urllib.parse import quote

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from memory_desk import SUPERVISOR
from server_host import Host

POSTS = (
    "/register/pair",
    "/register/payments",
    "/register/refunds",
    "/register/payments/x/cancel",
    "/register/close-day",
    "/cashier/pair",
    "/technician/pair",
    "/cashier/sales",
    "/cashier/refunds",
    "/cashier/sales/x/cancel",
    "/pair/open",
)
KEYS = st.sampled_from(["id", "amount", "minor", "currency", "lines", "label", "badge", "payment", "code", "name", "x"])
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.sampled_from(["CNY", SUPERVISOR, "R-1"]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS | st.text(), inner, max_size=5),
    max_leaves=12,
)
AMOUNTS = st.fixed_dictionaries({"minor": st.integers(-2, 2**60), "currency": st.sampled_from(["CNY", "JPY", "AAA"])})
NEARLY_RIGHT = st.fixed_dictionaries(
    {"id": st.text(max_size=70), "amount": AMOUNTS | VALUES},
    optional={"lines": st.lists(VALUES, max_size=2), "badge": VALUES, "payment": VALUES, "guide": st.text()},
)
BODIES = (VALUES | NEARLY_RIGHT).map(lambda value: json.dumps(value).encode()) | st.binary(max_size=200)
TIRELESS = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture
def caller(host: Host) -> Iterator[httpx.Client]:
    with host.register() as client, host.page() as page:
        client.cookies.update(page.cookies)
        yield client


@TIRELESS
@given(path=st.sampled_from(POSTS), body=BODIES)
def test_no_body_breaks_the_server(caller: httpx.Client, path: str, body: bytes) -> None:
    answer = caller.post(path, content=body, headers={"content-type": "application/json"})
    assert answer.status_code < 500
    if answer.is_error:
        assert set(answer.json()["error"]) == {"reason", "text"}


@TIRELESS
@given(
    path=st.text(st.characters(codec="utf-8"), max_size=80),
    query=st.text(st.characters(codec="ascii"), max_size=40),
    prefix=st.sampled_from(["/", "/register/payments/", "/register/refunds/", "/pages/", "/cashier/refunds/"]),
)
def test_no_address_breaks_the_server(caller: httpx.Client, prefix: str, path: str, query: str) -> None:
    answer = caller.get(f"{prefix}{quote(path)}?{quote(query, safe='=&%')}")
    assert answer.status_code < 500
