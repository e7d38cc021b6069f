from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
import ssl
import subprocess
import time
from pathlib import Path
from typing import Any

import httpx
import pytest
from memory_desk import SUPERVISOR, MemoryDesk
from server_host import Host

from device.ports import SystemClock, SystemRandomness
from device.server.app import make_app
from device.server.guard import LARGEST_BODY
from device.server.pairing import Pairing
from device.server.serve import BadTls, PortTaken, serve
from device.server.settings import ServerSettings

YUAN = {"minor": 1230, "currency": "CNY"}
PAYMENT = {"id": "R-1", "amount": YUAN}


def reason(answer: httpx.Response) -> str:
    return str(answer.json()["error"]["reason"])


@pytest.mark.parametrize(
    "name", ["evil.example", "127.0.0.1.evil.example:80", "localhost.evil.example", "", "10.0.0.1"]
)
def test_foreign_host_is_refused_everywhere(quiet_host: Host, name: str) -> None:
    with quiet_host.client(headers={"host": name}) as client:
        for path in ("/cashier", "/display", "/status", "/pages/base.css", "/register/status"):
            answer = client.get(path)
            assert (answer.status_code, reason(answer)) == (403, "foreign-host")


@pytest.mark.parametrize("name", ["localhost", "LOCALHOST:8480", "127.0.0.1:1", "[::1]:8480", "till.mall.example"])
def test_own_names_are_served(tmp_path: Any, name: str) -> None:
    with Host(tmp_path, names=("till.mall.example",)) as host, host.client(headers={"host": name}) as client:
        assert client.get("/display").status_code == 200


@pytest.mark.parametrize(
    "origin", ["https://evil.example", "null", "http://localhost:1", "http://127.0.0.1", "", "file://"]
)
def test_pages_of_other_origins_are_refused(quiet_host: Host, origin: str) -> None:
    with quiet_host.register() as register, quiet_host.page() as page:
        for client, path in ((register, "/register/payments"), (page, "/cashier/sales")):
            answer = client.post(path, json=PAYMENT, headers={"origin": origin})
            assert (answer.status_code, reason(answer)) == (403, "foreign-origin")
        assert register.get("/register/status", headers={"origin": origin}).status_code == 403
    assert quiet_host.desk.sales == {}


def test_own_page_and_programs_without_origin_are_served(host: Host) -> None:
    with host.page() as page:
        own = {"origin": host.address, "sec-fetch-site": "same-origin"}
        assert page.post("/cashier/sales", json=PAYMENT, headers=own).status_code == 201


def test_requests_that_a_browser_calls_foreign_are_refused_but_links_work(host: Host) -> None:
    with host.page() as page:
        for site in ("cross-site", "same-site"):
            assert page.post("/cashier/sales", json=PAYMENT, headers={"sec-fetch-site": site}).status_code == 403
            assert page.get("/cashier/state", headers={"sec-fetch-site": site}).status_code == 403
        link = {"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate"}
        assert page.get("/display", headers=link).status_code == 200


def test_pages_need_their_cookie(host: Host) -> None:
    with host.client() as stranger:
        for path in ("/cashier/sales", "/cashier/sales/x/cancel", "/cashier/refunds", "/cashier/close-day"):
            assert stranger.post(path, json=PAYMENT).status_code == 401
        for path in ("/cashier/state", "/cashier/events", "/cashier/refunds/x"):
            assert stranger.get(path).status_code == 401
        assert "pair.js" in stranger.get("/cashier").text
    with host.page() as page:
        assert "cashier.js" in page.get("/cashier").text


def test_cookie_is_out_of_reach_of_scripts_and_other_sites(host: Host) -> None:
    with host.client() as client:
        cookie = client.post("/cashier/pair", json={"code": host.open_pairing()}).headers["set-cookie"]
    assert cookie.startswith("tillwave-till-1=")
    assert {"HttpOnly", "Path=/cashier", "SameSite=strict"} <= set(cookie.split("; "))


def test_keys_of_registers_do_not_open_pages_and_cookies_are_no_keys(host: Host) -> None:
    with host.register() as register, host.page() as page, host.client() as other:
        key = register.headers["authorization"].removeprefix("Bearer ")
        cookie = page.cookies["tillwave-till-1"]
        assert other.get("/cashier/state", headers={"cookie": f"tillwave-till-1={key}"}).status_code == 401
        assert other.get("/register/status", headers={"authorization": f"Bearer {cookie}"}).status_code == 401


def test_wrong_codes_lock_pairing(host: Host) -> None:
    code = host.open_pairing()
    wrong = f"{(int(code) + 1) % 10**8:08d}"
    with host.client() as client:
        answers = [client.post("/register/pair", json={"code": wrong, "name": "thief"}) for _ in range(5)]
        assert [reason(answer) for answer in answers] == ["wrong-code"] * 4 + ["pairing-closed"]
        late = client.post("/register/pair", json={"code": code, "name": "thief"})
        assert (late.status_code, reason(late)) == (403, "pairing-closed")


def test_no_register_may_be_called_cashier(host: Host) -> None:
    with host.client() as client:
        answer = client.post("/register/pair", json={"code": host.open_pairing(), "name": "cashier"})
        assert answer.status_code == 422


def test_many_wrong_keys_have_to_wait_while_the_right_one_works(host: Host) -> None:
    with host.register() as register, host.client(headers={"authorization": "Bearer guess"}) as thief:
        statuses = [thief.get("/register/status").status_code for _ in range(21)]
        assert statuses[0] == 401
        assert statuses[-1] == 429
        assert register.get("/register/status").status_code == 200


def test_oversize_body_is_refused_by_its_declared_length(host: Host) -> None:
    with host.register() as client:
        answer = client.post("/register/payments", content=b" " * (LARGEST_BODY + 1))
        assert (answer.status_code, reason(answer)) == (413, "too-large")


def test_oversize_body_without_declared_length_is_cut_off(host: Host) -> None:
    def endless() -> Any:
        for _ in range(100):
            yield b" " * 1024

    with host.register() as client:
        answer = client.post("/register/payments", content=endless(), headers={"content-type": "application/json"})
        assert answer.status_code == 413
        assert host.desk.sales == {}


def test_body_of_exactly_the_limit_is_read(host: Host) -> None:
    body = b'{"id":"R-1","amount":{"minor":1230,"currency":"CNY"}}'
    with host.register() as client:
        answer = client.post(
            "/register/payments", content=body.ljust(LARGEST_BODY), headers={"content-type": "application/json"}
        )
        assert answer.status_code == 201


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400),
        (b"{", 400),
        (b"\xff\xfe", 400),
        (b'{"id":"\xff"}', 400),
        (b'{"id":"\\ud800"}', 400),
        (b"[" * 60_000, 422),
        (b'{"a":' * 10_000, 422),
        (b'{"id":' + b"[" * 60_000, 422),
        (b"null", 422),
        (b"[]", 422),
        (b'{"id":"R-1"}', 422),
        (b'{"id":"R-1","amount":{"minor":12.3,"currency":"CNY"}}', 422),
        (b'{"id":"R-1","amount":{"minor":12.0,"currency":"CNY"}}', 422),
        (b'{"id":"R-1","amount":{"minor":1e3,"currency":"CNY"}}', 422),
        (b'{"id":"R-1","amount":{"minor":"1230","currency":"CNY"}}', 422),
        (b'{"id":"R-1","amount":{"minor":true,"currency":"CNY"}}', 422),
        (b'{"id":"R-1","amount":{"minor":0,"currency":"CNY"}}', 422),
        (b'{"id":"R-1","amount":{"minor":-5,"currency":"CNY"}}', 422),
        (b'{"id":"R-1","amount":{"minor":99999999999999999999999999,"currency":"CNY"}}', 422),
        (b'{"id":"R-1","amount":{"minor":1230,"currency":"XXX"}}', 422),
        (b'{"id":"R-1","amount":{"minor":1230,"currency":"cny"}}', 422),
        (b'{"id":"R-1","amount":{"minor":1230,"currency":"CNY"},"tip":1}', 422),
        (b'{"id":"R-1","amount":{"minor":1230,"currency":"CNY"},"lines":[{"label":"a\\u0000","amount":{}}]}', 422),
        (b'{"id":7,"amount":{"minor":1230,"currency":"CNY"}}', 422),
        (b'{"id":"R-1","amount":NaN}', 400),
    ],
)
def test_broken_json_is_refused_and_changes_nothing(quiet_host: Host, body: bytes, status: int) -> None:
    with quiet_host.register() as client:
        answer = client.post("/register/payments", content=body, headers={"content-type": "application/json"})
        assert answer.status_code == status
        assert reason(answer) in ("bad-json", "bad-request")
        assert quiet_host.desk.sales == {}


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "", "application/jsonp"])
def test_other_types_of_content_are_refused(quiet_host: Host, kind: str) -> None:
    with quiet_host.register() as client:
        answer = client.post("/register/payments", content=b"{}", headers={"content-type": kind})
        assert (answer.status_code, reason(answer)) == (415, "bad-type")


def test_every_answer_tells_the_browser_to_be_careful(quiet_host: Host) -> None:
    with quiet_host.client() as client:
        for path in ("/cashier", "/display", "/nothing", "/status", "/pages/base.css", "/register/status"):
            headers = client.get(path).headers
            assert "frame-ancestors 'none'" in headers["content-security-policy"]
            assert "unsafe" not in headers["content-security-policy"]
            assert headers["cache-control"] == "no-store"
            assert headers["x-content-type-options"] == "nosniff"
            assert headers["referrer-policy"] == "no-referrer"
            assert "server" not in headers


@pytest.mark.parametrize("method", ["PUT", "DELETE", "OPTIONS", "TRACE", "HEAD", "PATCH"])
def test_other_methods_are_refused(quiet_host: Host, method: str) -> None:
    with quiet_host.client() as client:
        assert client.request(method, "/cashier").status_code == 405


def test_files_outside_the_list_are_not_served(quiet_host: Host) -> None:
    with quiet_host.client() as client:
        for path in ("/pages/..%2fapp.py", "/pages/app.py", "/pages/%2e%2e/app.py", "/pages/cashier.html", "/pages/"):
            assert client.get(path).status_code == 404


def test_log_holds_no_secret(host: Host, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    caplog.set_level(logging.WARNING, "httpcore")  # the test's own client
    with host.register() as register, host.page() as page:
        secrets = [register.headers["authorization"].split()[1], page.cookies["tillwave-till-1"], SUPERVISOR]
        code = host.open_pairing()
        secrets.append(code)
        with host.client(headers={"authorization": "Bearer CANARY-KEY"}) as thief:
            thief.get("/register/status")
            thief.post("/register/pair", json={"code": "CANARY-CODE", "name": "x"})
            thief.post("/register/pair", content=b'{"CANARY-FIELD', headers={"content-type": "application/json"})
        refund = {"id": "F-1", "payment": "CANARY-PAYMENT", "amount": YUAN}
        register.post("/register/refunds", json={**refund, "badge": "CANARY-BADGE"})
        page.post("/cashier/refunds", json={**refund, "badge": SUPERVISOR})
    assert "request refused: not-paired" in caplog.text
    for secret in (*secrets, "CANARY"):
        assert secret not in caplog.text


def test_a_failure_inside_is_a_clean_500_without_details(host: Host, caplog: pytest.LogCaptureFixture) -> None:
    def break_it(desk: Any) -> None:
        def fail(*_: object) -> None:
            raise RuntimeError("token CANARY")

        desk.find = fail

    with host.register() as client:
        host.do(break_it)
        answer = client.get("/register/payments/R-1")
        assert (answer.status_code, reason(answer)) == (500, "failed")
        assert "CANARY" not in answer.text + caplog.text
        assert "RuntimeError" in caplog.text
        assert "register.py" in caplog.text


def test_pairing_is_opened_by_programs_that_can_read_the_control_key(host: Host) -> None:
    key = (host.state / "control.key").read_text()
    with host.client() as client:
        assert client.post("/pair/open").status_code == 401
        assert client.post("/pair/open", headers={"authorization": "Bearer wrong"}).status_code == 401
        page = {"authorization": f"Bearer {key}", "origin": host.address}
        assert client.post("/pair/open", headers=page).status_code == 403
        opened = client.post("/pair/open", headers={"authorization": f"Bearer {key}"}).json()
        assert opened["code"] == host.pairing.code
        assert 290 <= opened["seconds"] <= 300


def test_only_this_machine_sees_status_and_code(host: Host) -> None:
    async def ask(peer: str, path: str, most_chunks: int, own: str = "127.0.0.1") -> tuple[int, bytes]:
        app = make_app(host.desk, host.pairing, host.settings)
        sent: list[Any] = []
        ended = asyncio.Event()

        async def receive() -> Any:
            await ended.wait()
            return {"type": "http.disconnect"}

        async def send(message: Any) -> None:
            sent.append(message)
            if len(sent) > most_chunks:
                ended.set()

        scope = {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.3"},
            "http_version": "1.1",
            "method": "GET",
            "scheme": "http",
            "path": path,
            "raw_path": path.encode(),
            "root_path": "",
            "query_string": b"",
            "headers": [(b"host", b"localhost")],
            "client": (peer, 5),
            "server": (own, 1),
        }
        await app(scope, receive, send)
        return sent[0]["status"], b"".join(message.get("body", b"") for message in sent[1:])

    code = host.open_pairing().encode()
    assert asyncio.run(ask("127.0.0.1", "/status", 9))[0] == 200
    assert asyncio.run(ask("::ffff:127.0.0.1", "/status", 9))[0] == 200
    assert asyncio.run(ask("192.168.1.20", "/status", 9, own="192.168.1.20"))[0] == 200
    assert asyncio.run(ask("192.168.1.20", "/status", 9, own="192.168.1.5"))[0] == 403
    assert code in asyncio.run(ask("127.0.0.1", "/display/events", 2))[1]
    assert code not in asyncio.run(ask("192.168.1.20", "/display/events", 2))[1]


def test_forwarded_headers_do_not_change_who_asks(host: Host) -> None:
    with host.client(headers={"x-forwarded-for": "203.0.113.5", "x-forwarded-proto": "https"}) as client:
        assert client.get("/status").status_code == 200


def test_status_for_the_technician(quiet_host: Host) -> None:
    with quiet_host.client() as client:
        status = client.get("/status").json()
    assert status["terminal"] == "till-1"
    assert (status["in_service"], status["online"], status["queue"]) == (True, True, 0)
    assert status["devices"][1] == {"name": "printer", "state": "missing", "detail": "no paper path"}
    assert status["version"]
    assert status["uptime_s"] >= 0
    assert "sale" not in status


def test_a_taken_port_is_named(host: Host) -> None:
    async def again() -> None:
        await serve(make_app(host.desk, host.pairing, host.settings), "127.0.0.1", host.port)

    with pytest.raises(PortTaken, match=str(host.port)):
        asyncio.run(again())


def test_garbage_that_is_no_http_ends_in_a_400(host: Host) -> None:
    with socket.create_connection(("127.0.0.1", host.port), timeout=5) as line:
        line.sendall(b"\x16\x03\x01\x02\x00" + b"\x00" * 50 + b"\r\n\r\n")
        assert line.recv(100).startswith(b"HTTP/1.1 400")


def test_a_head_that_never_ends_is_cut_off(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("device.server.serve.HEAD_TIMEOUT_S", 0.3)
    with socket.create_connection(("127.0.0.1", host.port), timeout=60) as line:
        began = time.monotonic()
        line.sendall(b"GET /display HTTP/1.1\r\n")
        assert line.recv(100) == b""
        assert time.monotonic() - began < 9


def make_certificate(folder: Path) -> tuple[Path, Path]:
    certificate, key = folder / "server.crt", folder / "server.key"
    command = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=till"
    names = ["-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(key), "-out", str(certificate)]
    subprocess.run([*command.split(), *names], check=True, capture_output=True)
    return certificate, key


def test_over_tls_the_cookie_is_for_tls_only(tmp_path: Path) -> None:
    certificate, key = make_certificate(tmp_path)
    pairing = Pairing(tmp_path, SystemClock(), SystemRandomness())
    pairing.start()

    def ask(port: int) -> tuple[str, httpx.Response]:
        address = f"https://127.0.0.1:{port}"
        with httpx.Client(base_url=address, verify=ssl.create_default_context(cafile=certificate)) as client:
            paired = client.post("/cashier/pair", json={"code": pairing.open()}, headers={"origin": address})
            return paired.headers["set-cookie"], client.get("/cashier/state")

    async def run() -> tuple[str, httpx.Response]:
        ports: asyncio.Queue[int] = asyncio.Queue()
        app = make_app(MemoryDesk(), pairing, ServerSettings())
        serving = asyncio.create_task(
            serve(app, "127.0.0.1", 0, certificate=certificate, key=key, ready=ports.put_nowait)
        )
        try:
            return await asyncio.to_thread(ask, await ports.get())
        finally:
            serving.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await serving

    cookie, state = asyncio.run(run())
    assert "Secure" in cookie
    assert state.status_code == 200


def test_a_wrong_certificate_is_named(tmp_path: Path) -> None:
    certificate, _ = make_certificate(tmp_path)
    app = make_app(MemoryDesk(), Pairing(tmp_path, SystemClock(), SystemRandomness()), ServerSettings())
    with pytest.raises(BadTls, match=r"missing\.key"):
        asyncio.run(serve(app, "127.0.0.1", 0, certificate=certificate, key=tmp_path / "missing.key"))
