import datetime as dt
import ipaddress
import ssl
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from wallet_house import House, terminal_code

from protocol import tokens
from wallet.account import enrol
from wallet.errors import BadSettings, Untrusted
from wallet.phone import Phone
from wallet.ports import SystemClock
from wallet.qr import png_of
from wallet.server import Listening, WalletServer


@pytest.fixture
def page(phone: Phone) -> Iterator[WalletServer]:
    with WalletServer(phone) as served:
        yield served


@pytest.fixture
def caller(page: WalletServer) -> Iterator[httpx.Client]:
    headers = {"X-Tillwave-Key": page.key}
    with httpx.Client(base_url=page.base, headers=headers, trust_env=False) as client:
        yield client


def test_page_shows_nothing_to_callers_without_the_key(page: WalletServer, caller: httpx.Client) -> None:
    del caller.headers["X-Tillwave-Key"]
    assert caller.get("/").status_code == 200
    assert caller.get("/api/state").json()["problem"] == "key"
    assert caller.post("/api/code").status_code == 401
    assert page.key not in caller.get("/").text + caller.get("/wallet.js").text


@pytest.mark.parametrize(
    "headers",
    [
        {"X-Tillwave-Key": "wrong"},
        {"X-Tillwave-Key": "ä".encode("latin-1")},
        {"Origin": "http://127.0.0.1:1"},
        {"Origin": "null"},
        {"Origin": "https://evil.example"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Host": "evil.example"},
        {"Host": "127.0.0.1:1"},
    ],
)
def test_strangers_cannot_pay(caller: httpx.Client, house: House, headers: dict[str, str]) -> None:
    code = terminal_code(house.open_sale())
    offer = caller.post("/api/scan", json={"text": code}).json()["offer"]
    refused = caller.post("/api/pay", json={"offer": offer}, headers=headers)
    assert refused.status_code in (401, 403, 421)
    assert house.way.orders == 0


def test_every_answer_is_guarded(caller: httpx.Client) -> None:
    for answer in (caller.get("/"), caller.get("/api/state"), caller.get("/nothing"), caller.get("/api/pay")):
        policy = answer.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert "microphone=(self)" in answer.headers["Permissions-Policy"]
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"


def test_page_holds_no_inline_script_or_style(caller: httpx.Client) -> None:
    text = caller.get("/").text
    assert "style=" not in text
    assert "onclick" not in text
    assert "://" not in text


def test_offer_is_scanned_and_paid(caller: httpx.Client, house: House) -> None:
    code = terminal_code(house.open_sale())
    offer = caller.post("/api/scan/picture", content=png_of(code)).json()
    assert offer["amount"] == {"minor": 1230, "currency": "CNY", "decimal": "12.30"}
    assert offer["local_merchant"] == "一间茶室"
    paid = caller.post("/api/pay", json={"offer": offer["offer"]}).json()
    assert paid["verdict"] == "approved"
    state = caller.get("/api/state").json()
    assert state["balance"]["decimal"] == "116.20"
    assert [payment["sale"] for payment in state["payments"]] == [offer["sale"]]


def test_sound_of_a_terminal_is_an_offer(caller: httpx.Client, house: House) -> None:
    challenge = house.open_sale()
    offer = caller.post("/api/hear", json={"sound": challenge.to_sound().hex()}).json()
    assert (offer["sale"], offer["amount"]["minor"], offer["merchant"]) == (challenge.sale, 1230, "Tea House")
    wanted = {"offer": offer["offer"], "kind": "short"}
    token = bytes.fromhex(caller.post("/api/sound", params=wanted).json()["token"])
    assert house.present(house.open_sale(), token).reason == "bad-token"
    token = bytes.fromhex(caller.post("/api/sound", params={**wanted, "kind": "signed"}).json()["token"])
    assert house.present(challenge, token).verdict.name == "APPROVED"


def test_sound_of_no_sale_is_refused(caller: httpx.Client, house: House) -> None:
    challenge = house.open_sale()
    house.close_sale(challenge.sale)
    refused = caller.post("/api/hear", json={"sound": challenge.to_sound().hex()})
    assert (refused.status_code, refused.json()["reason"]) == (409, "unknown-sale")


def test_tokens_to_play_are_fresh_and_of_the_wanted_kind(caller: httpx.Client) -> None:
    made = [bytes.fromhex(caller.post(f"/api/sound?kind={kind}").json()["token"]) for kind in ("short", "signed")]
    assert [len(token) for token in made] == [tokens.SHORT_BYTES, tokens.SIGNED_BYTES]
    assert caller.post("/api/sound?kind=short").json()["token"] != made[0].hex()


def test_files_of_the_page_are_served_and_no_others(caller: httpx.Client) -> None:
    kinds = {"/": "text/html", "/capture.js": "text/javascript", "/waveform/forms.js": "text/javascript"}
    for path, kind in kinds.items():
        assert caller.get(path).headers["Content-Type"].startswith(kind)
    for path in ("/waveform/package.json", "/waveform/", "/../web.py", "/nothing.js"):
        assert caller.get(path).status_code == 404


def test_other_codes_are_no_offer(caller: httpx.Client) -> None:
    assert caller.post("/api/scan/picture", content=png_of("hello")).status_code == 422
    assert caller.post("/api/scan", json={"text": "hello"}).json()["problem"] == "not-payable"


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("/api/pay", b"{", 400),
        ("/api/pay", b'{"offer": 1}', 400),
        ("/api/pay", b'{"offer": "x", "amount": 1}', 400),
        ("/api/pay", b'{"offer": "x"}', 422),
        ("/api/pay", b'{"offer": null}', 400),
        ("/api/code?offer=x", b"", 422),
        ("/api/sound?offer=x", b"", 422),
        ("/api/scan", b"x" * 9000, 413),
        ("/api/scan/picture", bytes(4 << 20), 413),
        ("/api/hear", b'{"sound": "3"}', 400),
        ("/api/hear", b'{"sound": "hello"}', 400),
        ("/api/hear", b'{"text": "31"}', 400),
        ("/api/hear", b'{"sound": "31"}', 422),
    ],
)
def test_bad_requests_are_refused(caller: httpx.Client, path: str, body: bytes, status: int) -> None:
    refused = caller.post(path, content=body)
    assert refused.status_code == status
    assert refused.json()["message"]


def test_state_is_kept_while_settlement_is_away(caller: httpx.Client, house: House) -> None:
    assert caller.get("/api/state").json()["problem"] is None
    house.way.is_cut = True
    state = caller.get("/api/state").json()
    assert state["problem"]["problem"] == "answer-lost"
    assert state["balance"]["decimal"] == "128.50"
    assert "svg" in caller.post("/api/code?kind=signed").json()


def test_cards_of_the_account_alone_are_drawn(caller: httpx.Client, house: House) -> None:
    card = house.give_member_card()
    caller.get("/api/state")
    assert caller.get("/api/card", params={"text": card}).text.startswith("<svg ")
    assert caller.get("/api/card", params={"text": "https://evil.example"}).status_code == 422


def test_stopping_twice_is_harmless(phone: Phone) -> None:
    server = WalletServer(phone)
    server.start()
    server.stop()
    server.stop()
    assert "stopped" in repr(server)


def test_page_is_not_served_in_plain_to_other_machines() -> None:
    with pytest.raises(BadSettings, match="HTTPS"):
        Listening("0.0.0.0")
    with pytest.raises(BadSettings, match="both"):
        Listening(certificate=Path("page.crt"))


def test_taken_port_is_said(page: WalletServer, phone: Phone) -> None:
    taken = int(page.base.rsplit(":", 1)[1])
    with pytest.raises(BadSettings, match="cannot be used"):
        WalletServer(phone, Listening(port=taken)).start()


def make_certificate(folder: Path) -> tuple[Path, Path]:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "phone")])
    now = dt.datetime.now(dt.UTC)
    names = [x509.DNSName("phone.mall"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
    builder = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(minutes=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    )
    certificate, key_file = folder / "page.crt", folder / "page.key"
    certificate.write_bytes(builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))
    pem = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    key_file.write_bytes(key.private_bytes(*pem))
    return certificate, key_file


def test_page_is_served_over_https_under_the_names_of_its_certificate(phone: Phone, tmp_path: Path) -> None:
    certificate, key = make_certificate(tmp_path)
    trust = ssl.create_default_context(cafile=str(certificate))
    with WalletServer(phone, Listening("0.0.0.0", 0, certificate, key)) as server:
        port = server.base.rsplit(":", 1)[1]
        assert server.base == f"https://phone.mall:{port}"
        here = f"https://127.0.0.1:{port}/"
        with httpx.Client(verify=trust, trust_env=False) as client:
            assert client.get(here).status_code == 200
            assert client.get(here, headers={"Host": f"phone.mall:{port}"}).status_code == 200
            assert client.get(here, headers={"Host": "phone.mall"}).status_code == 421


def test_broken_certificate_is_said(phone: Phone, tmp_path: Path) -> None:
    certificate, key = make_certificate(tmp_path)
    key.write_text("none")
    with pytest.raises(BadSettings, match="certificate and key"):
        WalletServer(phone, Listening("127.0.0.1", 0, certificate, key)).start()
    certificate.write_text("none")
    with pytest.raises(BadSettings, match="not a certificate"):
        WalletServer(phone, Listening("127.0.0.1", 0, certificate, key)).start()


def test_settlement_is_trusted_by_the_malls_authority_alone(tmp_path: Path) -> None:
    certificate, key = make_certificate(tmp_path)
    house = House(tmp_path, SystemClock(), (certificate, key))
    house.start()
    try:
        with pytest.raises(Untrusted, match="--ca"):
            enrol(tmp_path / "stranger", house.https_url, house.code, None)
        phone = Phone(enrol(tmp_path / "https", house.https_url, house.code, certificate))
        assert phone.statement().balance.minor == 12_850
        phone.close()
    finally:
        house.stop()
