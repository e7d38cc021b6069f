"""The mall's own wallet: accounts in settlement's ledger, paid by short tokens, signed tokens and phones' orders.

A token is good once. What counts as the same token is what it proves (account, second, challenge), not its bytes: the
signature in a signed token has two valid forms.
"""

from __future__ import annotations

from collections.abc import Callable

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from sqlalchemy import Connection, Row, select

from protocol import tokens
from protocol.errors import BadToken
from protocol.money import Money
from protocol.records import Verdict
from settlement import ledger
from settlement.acquirers.port import Acquirer, Charge, ChargeRequest, UndoRequest
from settlement.tables import wallet_uses, wallets

SCHEME = "tillwave"
_WalletRow = Row[tuple[bytes, str, bytes, bytes | None, int]]


class HouseWallet(Acquirer):
    """Charges accounts of the house; they never go below zero."""

    def __init__(self, issuer: ec.EllipticCurvePublicKey) -> None:
        self._issuer = issuer

    def charge(self, connection: Connection, request: ChargeRequest) -> Charge:
        """Judge the token and the balance, and mark the token as used when both are good."""
        try:
            if len(request.token) == tokens.SHORT_BYTES:
                return self._charge_short(connection, request)
            return self._charge_signed(connection, request)
        except BadToken:
            return Charge.declined("bad-token")

    def pay_order(self, connection: Connection, alias: bytes, amount: Money) -> Charge:
        """Charge an account whose own phone has signed an order."""
        return _judge_balance(connection, alias, amount)

    def refund(self, connection: Connection, request: UndoRequest) -> Charge:
        """Give money back; the account is always there to take it."""
        del connection
        return Charge(Verdict.APPROVED, source=request.source)

    def reverse(self, connection: Connection, request: UndoRequest) -> Charge:
        """Undo; whatever was charged was charged by the ledger, which settlement sets right."""
        del connection
        return Charge(Verdict.APPROVED, source=request.source)

    def _charge_short(self, connection: Connection, request: ChargeRequest) -> Charge:
        token = tokens.parse_short_token(request.token)

        def is_genuine(wallet: _WalletRow) -> bool:
            return token.is_genuine(wallet.secret, request.nonce)

        if request.offline:
            return Charge.declined("online-only", payer_hint(token.alias), wallet_account(token.alias))
        return _charge(connection, request, token.alias, token.made_s, bound=token.bound, is_genuine=is_genuine)

    def _charge_signed(self, connection: Connection, request: ChargeRequest) -> Charge:
        token = tokens.parse_signed_token(request.token)

        def is_genuine(wallet: _WalletRow) -> bool:
            token.check(self._issuer, request.nonce, request.presented_s)
            return bool(wallet.public_key == _point(token.voucher.public_key))

        if not token.voucher.is_genuine(self._issuer):
            return Charge.declined("bad-token")
        alias = token.voucher.alias
        if request.presented_s > token.voucher.expires_s:
            return Charge.declined("voucher-expired", payer_hint(alias), wallet_account(alias))
        return _charge(connection, request, alias, token.made_s, bound=token.bound, is_genuine=is_genuine)


def wallet_account(alias: bytes) -> str:
    """Name the ledger's account of a wallet."""
    return f"{ledger.WALLET}:{alias.hex()}"


def payer_hint(alias: bytes) -> str:
    """Name a wallet on a slip: enough for its owner, not enough for anyone else."""
    return f"Tillwave ..{alias.hex()[-3:]}"


def _charge(
    connection: Connection,
    request: ChargeRequest,
    alias: bytes,
    made_s: int,
    *,
    bound: bool,
    is_genuine: Callable[[_WalletRow], bool],
) -> Charge:
    wallet = connection.execute(select(wallets).where(wallets.c.alias == alias)).one_or_none()
    if wallet is None:
        return Charge.declined("bad-token")
    if abs(request.presented_s - made_s) > tokens.FRESH_S:
        return Charge.declined("token-stale", payer_hint(alias), wallet_account(alias))
    if not is_genuine(wallet):
        return Charge.declined("bad-token")
    proof = {"alias": alias, "made_s": made_s, "nonce": (request.nonce or b"") if bound else b""}
    if connection.execute(select(wallet_uses).filter_by(**proof)).first() is not None:
        return Charge.declined("token-used", payer_hint(alias), wallet_account(alias))
    charge = _judge_balance(connection, alias, request.amount)
    if charge.verdict is Verdict.APPROVED:
        connection.execute(wallet_uses.insert().values(**proof, at_ms=request.presented_s * 1000))
    return charge


def _judge_balance(connection: Connection, alias: bytes, amount: Money) -> Charge:
    account = wallet_account(alias)
    if ledger.balance(connection, account, amount.currency) < amount.minor:
        return Charge.declined("insufficient-funds", payer_hint(alias), account)
    return Charge(Verdict.APPROVED, "", payer_hint(alias), account)


def _point(public_key: ec.EllipticCurvePublicKey) -> bytes:
    return public_key.public_bytes(Encoding.X962, PublicFormat.CompressedPoint)
