"""A register that speaks nexo, as its makers wrote it: the messages are built here a second time, on purpose."""

from __future__ import annotations

import base64
import hashlib
import hmac
import itertools
import json
import os
import ssl
from decimal import Decimal
from typing import Any

import httpx
from cryptography.hazmat.primitives import padding
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes


class NexoRegister:
    """Sends protected messages to one terminal."""

    def __init__(self, introduction: dict[str, Any], port: int = 0) -> None:
        self.introduction = introduction
        self.port = port or introduction["port"]
        derived = hashlib.pbkdf2_hmac("sha1", introduction["passphrase"].encode(), b"AdyenNexoV1Salt", 4000, 80)
        self.mac, self.cipher, self.vector = derived[:32], derived[32:64], derived[64:]
        self._services = itertools.count(1)
        context = ssl.create_default_context(cadata=introduction["certificate"])
        self.http = httpx.Client(base_url=f"https://127.0.0.1:{self.port}", verify=context, timeout=30)

    def new_service(self) -> str:
        return f"{next(self._services):010d}"

    def header(self, category: str, service: str, **changes: str) -> dict[str, str]:
        header = {
            "MessageClass": "Service",
            "MessageCategory": category,
            "MessageType": "Request",
            "ProtocolVersion": "3.0",
            "ServiceID": service,
            "SaleID": self.introduction["sale_id"],
            "POIID": self.introduction["poi_id"],
        }
        return {**header, **changes}

    def protect(self, message: bytes, header: dict[str, str], **trailer: object) -> bytes:
        nonce = os.urandom(16)
        vector = bytes(one ^ other for one, other in zip(self.vector, nonce, strict=True))
        padder = padding.PKCS7(128).padder()
        encryptor = Cipher(algorithms.AES256(self.cipher), modes.CBC(vector)).encryptor()
        blob = encryptor.update(padder.update(message) + padder.finalize()) + encryptor.finalize()
        said = {
            "AdyenCryptoVersion": 1,
            "KeyIdentifier": self.introduction["key_identifier"],
            "KeyVersion": self.introduction["key_version"],
            "Nonce": base64.b64encode(nonce).decode(),
            "Hmac": base64.b64encode(hmac.digest(self.mac, message, "sha256")).decode(),
            **trailer,
        }
        request = {"MessageHeader": header, "NexoBlob": base64.b64encode(blob).decode(), "SecurityTrailer": said}
        return json.dumps({"SaleToPOIRequest": request}).encode()

    def post(self, content: bytes) -> httpx.Response:
        return self.http.post("/nexo/", content=content, headers={"content-type": "application/json"})

    def send(self, category: str, body: Any, service: str = "", **changes: str) -> Any:
        header = self.header(category, service or self.new_service(), **changes)
        message = {"SaleToPOIRequest": {"MessageHeader": header, f"{category}Request": body}}
        answer = self.post(self.protect(json.dumps(message).encode(), header))
        answer.raise_for_status()
        if not answer.content:
            return None
        opened = self.open(answer.json()["SaleToPOIResponse"])["SaleToPOIResponse"]
        assert opened["MessageHeader"] == {**header, "MessageType": "Response"}
        return opened[f"{category}Response"]

    def open(self, envelope: Any) -> Any:
        trailer = envelope["SecurityTrailer"]
        nonce = base64.b64decode(trailer["Nonce"])
        vector = bytes(one ^ other for one, other in zip(self.vector, nonce, strict=True))
        decryptor = Cipher(algorithms.AES256(self.cipher), modes.CBC(vector)).decryptor()
        padded = decryptor.update(base64.b64decode(envelope["NexoBlob"])) + decryptor.finalize()
        unpadder = padding.PKCS7(128).unpadder()
        message = unpadder.update(padded) + unpadder.finalize()
        assert hmac.digest(self.mac, message, "sha256") == base64.b64decode(trailer["Hmac"])
        return json.loads(message, parse_float=Decimal)

    def payment(self, amount: float, transaction: str = "R-1", **more: object) -> dict[str, Any]:
        return {
            "SaleData": {"SaleTransactionID": {"TransactionID": transaction, "TimeStamp": "2026-03-02T10:00:00Z"}},
            "PaymentTransaction": {"AmountsReq": {"Currency": "CNY", "RequestedAmount": amount}, **more},
        }
