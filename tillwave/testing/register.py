"""A cash register that talks to a terminal over its local HTTP interface, as an integrator's would."""

from __future__ import annotations

import itertools
import secrets
import time
from typing import Any

import httpx

FINAL_PHASES = frozenset({"paid", "unpaid", "cancelled"})


class RegisterRefused(Exception):
    """The terminal refused a request; `status` is of HTTP, `reason` the terminal's word."""

    def __init__(self, status: int, reason: str, text: str) -> None:
        self.status = status
        self.reason = reason
        super().__init__(f"{status} {reason}: {text}")


class Register:
    """One register, paired with one terminal."""

    def __init__(self, url: str, name: str = "register-1") -> None:
        self.name = name
        self._client = httpx.Client(base_url=url, timeout=30, trust_env=False)
        self._ids = (f"{name}-{secrets.token_hex(3)}-{number}" for number in itertools.count(1))

    def pair(self, code: str) -> None:
        """Exchange the code on the terminal's display for a key."""
        answer = self._call("POST", "/register/pair", {"code": code, "name": self.name})
        self._client.headers["Authorization"] = f"Bearer {answer['key']}"

    def next_id(self) -> str:
        """Give an id that this register has not used."""
        return next(self._ids)

    def pay(self, minor: int | None, currency: str = "CNY", **more: Any) -> dict[str, Any]:
        """Start a payment; None as amount lets scanned goods make it. `id` may be given, `lines` and `guide` too."""
        amount = None if minor is None else {"minor": minor, "currency": currency}
        request = {"id": more.pop("id", None) or self.next_id(), "amount": amount, **more}
        return self._call("POST", "/register/payments", request)

    def payment(self, request: str, wait_s: float = 0) -> dict[str, Any]:
        """Read a payment; with `wait_s` the terminal answers when it changed or after that time."""
        return self._call(
            "GET", f"/register/payments/{request}", params={"wait": max(1, round(wait_s))} if wait_s else None
        )

    def wait(self, request: str, patience_s: float = 20.0, phases: frozenset[str] = FINAL_PHASES) -> dict[str, Any]:
        """Wait until a payment is in one of these phases; TimeoutError otherwise."""
        deadline = time.monotonic() + patience_s
        while (left_s := deadline - time.monotonic()) > 0:
            payment = self.payment(request)
            if payment["phase"] in phases:
                return payment
            self.payment(request, wait_s=min(left_s, 5.0))
        said = payment["reason"] or payment["notice"] or "nothing more is said"
        raise TimeoutError(f"payment {request} is still {payment['phase']} after {patience_s:.0f} s ({said})")

    def cancel(self, request: str) -> dict[str, Any]:
        """Cancel a payment."""
        return self._call("POST", f"/register/payments/{request}/cancel", {})

    def refund(self, payment: str, minor: int, badge: str, currency: str = "CNY", **more: Any) -> dict[str, Any]:
        """Start a refund of an approved payment."""
        request = {
            "id": more.pop("id", None) or self.next_id(),
            "payment": payment,
            "amount": {"minor": minor, "currency": currency},
            "badge": badge,
        }
        return self._call("POST", "/register/refunds", request)

    def wait_refund(self, request: str, patience_s: float = 15.0) -> dict[str, Any]:
        """Wait until settlement has decided a refund; TimeoutError otherwise."""
        deadline = time.monotonic() + patience_s
        while time.monotonic() < deadline:
            refund = self._call("GET", f"/register/refunds/{request}")
            if refund["state"] != "unknown":
                return refund
            time.sleep(0.05)
        raise TimeoutError(f"refund {request} is not decided after {patience_s:.0f} s")

    def status(self) -> dict[str, Any]:
        """Read the state of the terminal."""
        return self._call("GET", "/register/status")

    def close_day(self) -> dict[str, Any]:
        """Close the day."""
        return self._call("POST", "/register/close-day", {})

    def close(self) -> None:
        """End the connections."""
        self._client.close()

    def _call(
        self, method: str, path: str, body: dict[str, Any] | None = None, params: dict[str, Any] | None = None
    ) -> dict[str, Any]:
        response = self._client.request(method, path, json=body, params=params)
        content = response.json() if response.content else {}
        if response.is_error:
            error = content.get("error", {})
            raise RegisterRefused(response.status_code, error.get("reason", ""), error.get("text", response.text))
        answer: dict[str, Any] = content
        return answer
