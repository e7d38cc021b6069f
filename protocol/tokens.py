"""Tillwave wallet tokens and the challenge of a terminal.

A short token (16 bytes) is a proof for settlement alone, hence online only. A signed token (181 bytes) carries a
voucher of the house wallet and the phone's own signature, so that a terminal alone can check it. Both name the second
in which they were made, are good once, and may be bound to a challenge: its nonce enters the proof but not the bytes.

    short   type 0x11, bound 0x12 | alias 5 | time 4 | HMAC-SHA256 of the rest and the nonce, first 6 bytes
    signed  type 0x21, bound 0x22 | alias 5 | expiry 4 | limit 4 | currency 2 | public key 33 | issuer's signature 64
            | time 4 | phone's signature 64

Integers are big-endian; times count seconds since 1970-01-01 UTC; the limit is in minor units. A challenge is shown
as an EMVCo code, and played as 28 to 47 bytes:

    challenge  type 0x31 | sale 10 | nonce 16 | name of the terminal, the rest
"""

from __future__ import annotations

import hashlib
import hmac
import struct
from dataclasses import dataclass, field

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from keys.port import SIGNATURE_BYTES, Signer, is_signed_by
from protocol import currencies, ids
from protocol.errors import BadToken
from protocol.money import Money

ALIAS_BYTES = 5
NONCE_BYTES = 16
SHORT_BYTES = 16
SIGNED_BYTES = 181
SHORT_PREFIX, SIGNED_PREFIX = "TW1:", "TW2:"
COUPON_PREFIX, MEMBER_PREFIX, BADGE_PREFIX = "TWC:", "TWM:", "TWB:"
RED_PACKET_PREFIX, ATTRIBUTION_PREFIX, TECHNICIAN_PREFIX = "TWR:", "TWS:", "TWT:"
FRESH_S = 90
"""A token older or younger than this many seconds is refused."""

_LARGEST_LIMIT = 2**32 - 1
_HALF = SIGNATURE_BYTES // 2
_ORDER = ec.SECP256R1.group_order
_SHORT, _SHORT_BOUND, _SIGNED, _SIGNED_BOUND = 0x11, 0x12, 0x21, 0x22
_CHALLENGE = 0x31
_SHORT_LAYOUT = struct.Struct(f">B{ALIAS_BYTES}sI6s")
_SIGNED_LAYOUT = struct.Struct(f">B{ALIAS_BYTES}sIIH33s{SIGNATURE_BYTES}sI{SIGNATURE_BYTES}s")
_CHALLENGE_HEAD = struct.Struct(f">B{ids.ID_BYTES}s{NONCE_BYTES}s")
_SHORT_DOMAIN = b"tillwave short token 1"
_VOUCHER_DOMAIN = b"tillwave voucher 1"
_SIGNED_DOMAIN = b"tillwave signed token 1"


@dataclass(frozen=True, slots=True)
class ShortToken:
    """A short token taken apart; only settlement, which knows the secret, can believe it."""

    alias: bytes
    made_s: int
    bound: bool
    proof: bytes = field(repr=False)

    def is_genuine(self, secret: bytes, nonce: bytes | None) -> bool:
        """Tell whether the holder of `secret` made it, for this challenge if it is bound."""
        if self.bound and nonce is None:
            return False
        expected = _short_proof(secret, self.alias, self.made_s, nonce if self.bound else None)
        return hmac.compare_digest(expected, self.proof)


@dataclass(frozen=True, slots=True)
class Voucher:
    """The house wallet's word that a phone's key belongs to an account, up to a limit and a day."""

    alias: bytes
    expires_s: int
    limit: Money
    public_key: ec.EllipticCurvePublicKey
    signature: bytes

    def is_genuine(self, issuer: ec.EllipticCurvePublicKey) -> bool:
        """Tell whether the house wallet's key signed it."""
        return is_signed_by(issuer, self.signature, _VOUCHER_DOMAIN + _voucher_bytes(self))


@dataclass(frozen=True, slots=True)
class SignedToken:
    """A signed token taken apart; `check` says whether a terminal may believe it."""

    voucher: Voucher
    made_s: int
    bound: bool
    signature: bytes = field(repr=False)

    def check(self, issuer: ec.EllipticCurvePublicKey, nonce: bytes | None, now_s: int) -> None:
        """Raise BadToken unless it is genuine, fresh and, if bound, bound to this challenge."""
        if not self.voucher.is_genuine(issuer):
            raise BadToken("the voucher is not of this house wallet")
        if now_s > self.voucher.expires_s:
            raise BadToken("the voucher has expired; the phone must go online once")
        if self.bound and nonce is None:
            raise BadToken("the token is bound to a challenge, and there is none")
        signed = _signed_bytes(self.voucher, self.made_s, bound=self.bound) + (nonce or b"" if self.bound else b"")
        if not is_signed_by(self.voucher.public_key, self.signature, _SIGNED_DOMAIN + signed):
            raise BadToken("the phone's signature does not fit this token and challenge")
        if abs(now_s - self.made_s) > FRESH_S:
            raise BadToken("the token is too old; the phone must show a fresh one")


@dataclass(frozen=True, slots=True)
class Challenge:
    """What the terminal shows before payment: an order of this sale, unsigned; settlement vouches for it."""

    terminal: str
    sale: str
    nonce: bytes

    def to_sound(self) -> bytes:
        """Give the 28 to 47 bytes that a terminal plays; BadToken if nobody could read them."""
        _check_challenge(self)
        return _CHALLENGE_HEAD.pack(_CHALLENGE, ids.decode_base32(self.sale), self.nonce) + self.terminal.encode()

    @classmethod
    def from_sound(cls, payload: bytes) -> Challenge:
        """Read what a terminal plays; BadToken if it is no challenge."""
        head, name = payload[: _CHALLENGE_HEAD.size], payload[_CHALLENGE_HEAD.size :]
        if len(head) < _CHALLENGE_HEAD.size or head[0] != _CHALLENGE or not name.isascii():
            raise BadToken("the sound is not the challenge of a Tillwave terminal")
        _, sale, nonce = _CHALLENGE_HEAD.unpack(head)
        challenge = cls(name.decode("ascii"), ids.make_id(sale), nonce)
        _check_challenge(challenge)
        return challenge

    def template(self) -> dict[str, str]:
        """Give the sub-fields of its EMVCo template."""
        return {"01": self.terminal, "02": self.sale, "03": ids.encode_base32(self.nonce)}

    @classmethod
    def from_template(cls, fields: dict[str, str]) -> Challenge:
        """Read the sub-fields of an EMVCo template; BadToken if they are no challenge."""
        try:
            challenge = cls(fields["01"], fields["02"], ids.decode_base32(fields["03"]))
        except (KeyError, ValueError) as error:
            raise BadToken("the code is not the challenge of a Tillwave terminal") from error
        _check_challenge(challenge)
        return challenge


def make_short_token(secret: bytes, alias: bytes, now_s: int, nonce: bytes | None = None) -> bytes:
    """Make a short token, bound to a challenge if a nonce is given."""
    _check_alias(alias)
    proof = _short_proof(secret, alias, now_s, nonce)
    return _SHORT_LAYOUT.pack(_SHORT if nonce is None else _SHORT_BOUND, alias, now_s, proof)


def parse_short_token(data: bytes) -> ShortToken:
    """Take a short token apart; BadToken if it is none."""
    if len(data) != SHORT_BYTES or data[0] not in (_SHORT, _SHORT_BOUND):
        raise BadToken("this is not a short wallet token")
    kind, alias, made_s, proof = _SHORT_LAYOUT.unpack(data)
    return ShortToken(alias, made_s, kind == _SHORT_BOUND, proof)


def make_voucher(
    issuer: Signer, *, alias: bytes, public_key: ec.EllipticCurvePublicKey, expires_s: int, limit: Money
) -> Voucher:
    """Vouch for a phone's key; BadToken for an alias or limit that does not fit."""
    _check_alias(alias)
    if not 0 <= limit.minor <= _LARGEST_LIMIT:
        raise BadToken(f"the limit of a voucher is 0 to {_LARGEST_LIMIT} minor units")
    unsigned = Voucher(alias, expires_s, limit, public_key, b"")
    return Voucher(alias, expires_s, limit, public_key, issuer.sign(_VOUCHER_DOMAIN + _voucher_bytes(unsigned)))


def write_voucher(voucher: Voucher) -> bytes:
    """Write a voucher with its signature, as settlement hands it to the phone: 112 bytes."""
    return _voucher_bytes(voucher) + voucher.signature


def read_voucher(data: bytes) -> Voucher:
    """Read a voucher with its signature; BadToken if it is none."""
    filler = bytes(4 + SIGNATURE_BYTES)
    return parse_signed_token(bytes([_SIGNED]) + data + filler).voucher


def make_signed_token(phone: Signer, voucher: Voucher, now_s: int, nonce: bytes | None = None) -> bytes:
    """Make a signed token, bound to a challenge if a nonce is given."""
    unsigned = _signed_bytes(voucher, now_s, bound=nonce is not None)
    return unsigned + phone.sign(_SIGNED_DOMAIN + unsigned + (nonce or b""))


def parse_signed_token(data: bytes) -> SignedToken:
    """Take a signed token apart without believing it; BadToken if it is none."""
    if len(data) != SIGNED_BYTES or data[0] not in (_SIGNED, _SIGNED_BOUND):
        raise BadToken("this is not a signed wallet token")
    kind, alias, expires, limit, currency, point, issued, made_s, signature = _SIGNED_LAYOUT.unpack(data)
    try:
        public_key = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), point)
        money = Money(limit, currencies.by_numeric(f"{currency:03d}").code)
    except ValueError as error:
        raise BadToken("the voucher of the token is not well-formed") from error
    voucher = Voucher(alias, expires, money, public_key, issued)
    return SignedToken(voucher, made_s, kind == _SIGNED_BOUND, signature)


def is_wallet_token(data: bytes) -> bool:
    """Tell whether bytes have the length and type of a short or signed token."""
    if len(data) == SHORT_BYTES:
        return data[0] in (_SHORT, _SHORT_BOUND)
    return len(data) == SIGNED_BYTES and data[0] in (_SIGNED, _SIGNED_BOUND)


def is_bound(token: bytes) -> bool:
    """Tell whether a wallet token is good for one challenge alone; codes of other wallets never are."""
    return is_wallet_token(token) and token[0] in (_SHORT_BOUND, _SIGNED_BOUND)


def token_text(token: bytes) -> str:
    """Write a token as the text of a QR code."""
    return (SHORT_PREFIX if len(token) == SHORT_BYTES else SIGNED_PREFIX) + ids.encode_base32(token)


def token_from_text(text: str) -> bytes:
    """Read a token from the text of a code; BadToken if it is none."""
    if not text.startswith((SHORT_PREFIX, SIGNED_PREFIX)):
        raise BadToken("the text is not a wallet token")
    try:
        token = ids.decode_base32(text[len(SHORT_PREFIX) :])
    except ValueError as error:
        raise BadToken("the text of the wallet token is damaged") from error
    if not is_wallet_token(token) or token_text(token) != text.upper():
        raise BadToken("the text is not a wallet token")
    return token


def token_hash(token: bytes) -> bytes:
    """Name a token without showing it: SHA-256 of its bytes."""
    return hashlib.sha256(token).digest()


def same_tokens(token: bytes) -> tuple[bytes, ...]:
    """Give all bytes that count as this token: ECDSA signatures have two valid forms, so a signed token has a twin."""
    if len(token) != SIGNED_BYTES or not is_wallet_token(token):
        return (token,)
    s = int.from_bytes(token[-_HALF:])
    return (token, token[:-_HALF] + (_ORDER - s).to_bytes(_HALF)) if 0 < s < _ORDER else (token,)


def _check_challenge(challenge: Challenge) -> None:
    if not ids.is_name(challenge.terminal) or not ids.is_id(challenge.sale):
        raise BadToken("the challenge names no terminal or no sale")
    if len(challenge.nonce) != NONCE_BYTES:
        raise BadToken(f"a challenge has {NONCE_BYTES} random bytes")


def _check_alias(alias: bytes) -> None:
    if len(alias) != ALIAS_BYTES:
        raise BadToken(f"the alias of an account has {ALIAS_BYTES} bytes")


def _short_proof(secret: bytes, alias: bytes, made_s: int, nonce: bytes | None) -> bytes:
    kind = _SHORT if nonce is None else _SHORT_BOUND
    head = struct.pack(f">B{ALIAS_BYTES}sI", kind, alias, made_s)
    return hmac.digest(secret, _SHORT_DOMAIN + head + (nonce or b""), "sha256")[:6]


def _voucher_bytes(voucher: Voucher) -> bytes:
    point = voucher.public_key.public_bytes(Encoding.X962, PublicFormat.CompressedPoint)
    currency = int(currencies.by_code(voucher.limit.currency).numeric)
    return struct.pack(f">{ALIAS_BYTES}sIIH33s", voucher.alias, voucher.expires_s, voucher.limit.minor, currency, point)


def _signed_bytes(voucher: Voucher, made_s: int, *, bound: bool) -> bytes:
    kind = bytes([_SIGNED_BOUND if bound else _SIGNED])
    return kind + write_voucher(voucher) + made_s.to_bytes(4)
