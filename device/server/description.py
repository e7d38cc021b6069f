"""The register interface described for programs: OpenAPI 3.1, at /register/openapi.json.

What comes in is described by the very types that read it; what goes out is described here and compared in tests.
"""

from __future__ import annotations

from importlib.metadata import version
from typing import Any

import msgspec

from device.payment.views import Phase
from device.server.shown import Json
from device.server.wire import PairBody, PaymentBody, RefundBody

_SCHEMA = "#/components/schemas/{name}"
_TEXT: Json = {"type": "string"}
_TRUTH: Json = {"type": "boolean"}
_COUNT: Json = {"type": "integer", "minimum": 0}
_ID: Json = {"type": "string", "pattern": "^[ -~]{1,64}$"}


def describe() -> Json:
    """Give the whole description."""
    _, incoming = msgspec.json.schema_components([PairBody, PaymentBody, RefundBody], ref_template=_SCHEMA)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Tillwave terminal, register interface",
            "version": version("tillwave"),
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
            "description": "Every request carries an id of the register's own. The same id again gives the same "
            "answer and never a second payment. A lost line is no outcome: ask again, with the same id.",
        },
        "paths": _paths(),
        "components": {
            "schemas": {**_ecma(incoming), **_outgoing()},
            "securitySchemes": {"key": {"type": "http", "scheme": "bearer"}},
        },
        "security": [{"key": []}],
    }


def _paths() -> Json:
    own_id = {"name": "id", "in": "path", "required": True, "schema": _ID}
    wait = {"name": "wait", "in": "query", "schema": {"type": "string", "pattern": "^[0-9]{1,3}$"}}
    seen = {"name": "seen", "in": "query", "schema": _TEXT}
    payment, refund = "/register/payments", "/register/refunds"
    return {
        "/register/pair": {
            "post": _call(
                "Pair this register, once, by the code on the terminal's display",
                {201: "Paired", 403: "Error"},
                body="PairBody",
            )
            | {"security": []}
        },
        "/register/status": {"get": _call("How the terminal is, and the payment of this register", {200: "Status"})},
        payment: {
            "post": _call(
                "Ask for money; 200 when this id was known",
                {201: "Payment", 200: "Payment", 409: "Error", 503: "Error"},
                body="PaymentBody",
            )
        },
        f"{payment}/{{id}}": {
            "get": _call(
                "A payment; with `wait` seconds, as soon as its version is no more `seen`",
                {200: "Payment", 404: "Error"},
                parameters=[own_id, wait, seen],
            )
        },
        f"{payment}/{{id}}/cancel": {
            "post": _call(
                "Cancel; what was charged meanwhile is reversed. 409 once it is paid",
                {200: "Payment", 404: "Error", 409: "Error", 503: "Error"},
                parameters=[own_id],
            )
        },
        refund: {
            "post": _call(
                "Give money back, with the badge of a supervisor; 200 when this id was known",
                {201: "Refund", 200: "Refund", 403: "Error", 404: "Error", 409: "Error", 503: "Error"},
                body="RefundBody",
            )
        },
        f"{refund}/{{id}}": {
            "get": _call(
                "A refund; with `wait` seconds, as soon as its version is no more `seen`",
                {200: "Refund", 404: "Error"},
                parameters=[own_id, wait, seen],
            )
        },
        "/register/close-day": {
            "post": _call("Count the day and compare it with settlement", {200: "Day", 409: "Error", 503: "Error"})
        },
    }


def _call(summary: str, answers: dict[int, str], *, body: str = "", parameters: list[Json] | None = None) -> Json:
    refused = dict.fromkeys((400, 401, 413, 415, 421, 422, 429), "Error")
    call: Json = {
        "summary": summary,
        "responses": {
            str(status): _answer(status, schema) for status, schema in sorted({**refused, **answers}.items())
        },
    }
    if parameters:
        call["parameters"] = parameters
    if body:
        call["requestBody"] = {"required": True, "content": _json(body)}
    return call


def _answer(status: int, schema: str) -> Json:
    return {"description": "refused" if schema == "Error" else "done", "content": _json(schema)} | (
        {"headers": {"Retry-After": {"schema": _TEXT}}} if status == 429 else {}  # noqa: PLR2004 - Too Many Requests
    )


def _json(schema: str) -> Json:
    return {"application/json": {"schema": {"$ref": _SCHEMA.format(name=schema)}}}


def _outgoing() -> Json:
    money, line, discount = (_SCHEMA.format(name=name) for name in ("Money", "Line", "Discount"))
    totals = _SCHEMA.format(name="Totals")
    service: Json = {
        "terminal": _TEXT,
        "in_service": _TRUTH,
        "trouble": _TEXT,
        "online": _TRUTH,
        "offline_allowed": _TRUTH,
        "queue": _COUNT,
        "devices": {"type": "array", "items": _object(name=_TEXT, state=_TEXT, detail=_TEXT)},
    }
    return {
        "Money": _object(
            minor={"type": "integer"},
            currency={"type": "string", "pattern": "^[A-Z]{3}$"},
            decimal={"type": "string", "pattern": r"^-?[0-9]+(\.[0-9]+)?$"},
        ),
        "Line": _object(code=_TEXT, label=_TEXT, quantity=_COUNT, amount={"$ref": money}),
        "Discount": _object(label=_TEXT, amount={"$ref": money}),
        "Payment": _object(
            id=_ID,
            sale=_TEXT,
            register=_TEXT,
            request=_TEXT,
            phase={"enum": [phase.value for phase in Phase]},
            final=_TRUTH,
            amount={"$ref": money},
            goods={"$ref": money},
            lines={"type": "array", "items": {"$ref": line}},
            discounts={"type": "array", "items": {"$ref": discount}},
            member=_TEXT,
            challenge=_TEXT,
            reason=_TEXT,
            notice=_TEXT,
            scheme=_TEXT,
            payer=_TEXT,
            payment=_TEXT,
            offline=_TRUTH,
            refunded={"$ref": money},
            opened_ms=_COUNT,
            closed_ms=_COUNT,
            attempt_ms=_COUNT,
            version=_TEXT,
        ),
        "Refund": _object(
            id=_ID,
            refund=_TEXT,
            register=_TEXT,
            payment=_TEXT,
            amount={"$ref": money},
            state={"enum": ["unknown", "approved", "declined"]},
            final=_TRUTH,
            reason=_TEXT,
            version=_TEXT,
        ),
        "Totals": _object(paid_count=_COUNT, paid={"$ref": money}, refunded_count=_COUNT, refunded={"$ref": money}),
        "Day": _object(agrees=_TRUTH, open_records=_COUNT, terminal={"$ref": totals}, settlement={"$ref": totals}),
        "Status": _object(
            **service,
            register=_TEXT,
            busy=_TRUTH,
            payment={"anyOf": [{"$ref": _SCHEMA.format(name="Payment")}, {"type": "null"}]},
        ),
        "Paired": _object(
            register=_TEXT, key=_TEXT, nexo={"anyOf": [{"$ref": _SCHEMA.format(name="Nexo")}, {"type": "null"}]}
        ),
        "Nexo": _object(
            poi_id=_TEXT,
            sale_id=_TEXT,
            key_identifier=_TEXT,
            key_version=_COUNT,
            passphrase=_TEXT,
            certificate=_TEXT,
            port=_COUNT,
        ),
        "Error": _object(error=_object(reason=_TEXT, text=_TEXT)),
    }


def _object(**properties: Json) -> Json:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def _ecma(schemas: Any) -> Any:
    """Write patterns as ECMA-262 has them, in which `$` is the end of the text alone."""
    if isinstance(schemas, dict):
        return {
            name: value.replace(r"\Z", "$") if name == "pattern" and isinstance(value, str) else _ecma(value)
            for name, value in schemas.items()
        }
    return [_ecma(value) for value in schemas] if isinstance(schemas, list) else schemas
