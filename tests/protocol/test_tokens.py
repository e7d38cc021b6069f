"""Wallet tokens prove what they prove, and nothing more."""

from __future__ import annotations

from dataclasses import replace

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given
from hypothesis import strategies as st
from signing import make_key

from protocol import tokens
from protocol.errors import BadToken
from protocol.money import Money
from protocol.tokens import Challenge, SignedToken, Voucher

ISSUER, PHONE = make_key(), make_key()
SECRET, ALIAS, NONCE, NOW_S = b"s" * 32, b"alias", b"n" * 16, 1_790_000_000
VOUCHER = tokens.make_voucher(
    ISSUER, alias=ALIAS, public_key=PHONE.public_key, expires_s=NOW_S + 3600, limit=Money(5_000, "CNY")
)


def _short(nonce: bytes | None = None) -> bytes:
    return tokens.make_short_token(SECRET, ALIAS, NOW_S, nonce)


def _signed(nonce: bytes | None = None, voucher: Voucher = VOUCHER) -> bytes:
    return tokens.make_signed_token(PHONE, voucher, NOW_S, nonce)


# short


def test_an_unbound_short_token_is_good_anywhere() -> None:
    token = tokens.parse_short_token(_short())
    assert (token.alias, token.made_s, token.bound) == (ALIAS, NOW_S, False)
    assert token.is_genuine(SECRET, None)
    assert token.is_genuine(SECRET, NONCE)
    assert not token.is_genuine(b"t" * 32, None)


def test_a_bound_short_token_is_good_for_its_challenge_alone() -> None:
    token = tokens.parse_short_token(_short(NONCE))
    assert token.bound
    assert token.is_genuine(SECRET, NONCE)
    assert not token.is_genuine(SECRET, b"m" * 16)
    assert not token.is_genuine(SECRET, None)


def test_every_flipped_byte_of_a_short_token_is_noticed() -> None:
    whole = _short()
    for place in range(len(whole)):
        changed = bytearray(whole)
        changed[place] ^= 0x01
        try:
            token = tokens.parse_short_token(bytes(changed))
        except BadToken:
            continue
        assert not token.is_genuine(SECRET, None)


def test_a_bound_token_cannot_be_made_unbound() -> None:
    bound = _short(NONCE)
    token = tokens.parse_short_token(_short()[:1] + bound[1:])
    assert not token.bound
    assert not token.is_genuine(SECRET, NONCE)


# signed


def test_a_signed_token_is_good_on_its_own() -> None:
    token = tokens.parse_signed_token(_signed())
    token.check(ISSUER.public_key, None, NOW_S)
    token.check(ISSUER.public_key, NONCE, NOW_S + tokens.FRESH_S)
    assert token.voucher.limit == Money(5_000, "CNY")
    assert token.voucher.alias == ALIAS


def test_a_bound_signed_token_is_good_for_its_challenge_alone() -> None:
    token = tokens.parse_signed_token(_signed(NONCE))
    token.check(ISSUER.public_key, NONCE, NOW_S)
    for nonce in (None, b"m" * 16):
        with pytest.raises(BadToken, match="challenge"):
            token.check(ISSUER.public_key, nonce, NOW_S)


def test_a_token_of_a_foreign_wallet_is_refused() -> None:
    with pytest.raises(BadToken, match="not of this house wallet"):
        tokens.parse_signed_token(_signed()).check(make_key().public_key, None, NOW_S)


@pytest.mark.parametrize("seconds", [-tokens.FRESH_S - 1, tokens.FRESH_S + 1])
def test_a_stale_token_is_refused(seconds: int) -> None:
    with pytest.raises(BadToken, match="too old"):
        tokens.parse_signed_token(_signed()).check(ISSUER.public_key, None, NOW_S + seconds)


def test_an_expired_voucher_is_refused() -> None:
    with pytest.raises(BadToken, match="expired"):
        tokens.parse_signed_token(_signed()).check(ISSUER.public_key, None, NOW_S + 3601)


def test_a_stolen_voucher_is_of_no_use_to_another_phone() -> None:
    token = tokens.make_signed_token(make_key(), VOUCHER, NOW_S)
    with pytest.raises(BadToken, match="phone's signature"):
        tokens.parse_signed_token(token).check(ISSUER.public_key, None, NOW_S)


def test_a_limit_cannot_be_raised() -> None:
    raised = replace(VOUCHER, limit=Money(500_000, "CNY"))
    with pytest.raises(BadToken, match="not of this house wallet"):
        tokens.parse_signed_token(_signed(voucher=raised)).check(ISSUER.public_key, None, NOW_S)


def test_every_flipped_byte_of_a_signed_token_is_noticed() -> None:
    whole = _signed()
    for place in range(len(whole)):
        changed = bytearray(whole)
        changed[place] ^= 0x01
        with pytest.raises(BadToken):
            tokens.parse_signed_token(bytes(changed)).check(ISSUER.public_key, None, NOW_S)


def test_the_twin_of_a_signed_token_counts_as_the_same() -> None:
    """With r and s, r and n - s is a valid signature too: other bytes, the same payment."""
    token = _signed()
    same, twin = tokens.same_tokens(token)
    assert same == token
    assert twin != token
    tokens.parse_signed_token(twin).check(ISSUER.public_key, None, NOW_S)
    assert set(tokens.same_tokens(twin)) == {token, twin}


@pytest.mark.parametrize("token", [b"280389411343685293", _short(), bytes(181), _signed()[:-32] + bytes(32)])
def test_other_tokens_have_no_twin(token: bytes) -> None:
    assert tokens.same_tokens(token) == (token,)


# vouchers


def test_a_voucher_comes_back() -> None:
    data = tokens.write_voucher(VOUCHER)
    assert len(data) == 112
    voucher = tokens.read_voucher(data)
    assert voucher.is_genuine(ISSUER.public_key)
    assert not voucher.is_genuine(PHONE.public_key)
    assert voucher.public_key.public_numbers() == PHONE.public_key.public_numbers()
    assert tokens.write_voucher(voucher) == data


@pytest.mark.parametrize("alias", [b"", b"four", b"sixsix"])
def test_an_alias_is_never_cut(alias: bytes) -> None:
    with pytest.raises(BadToken, match="alias"):
        tokens.make_short_token(SECRET, alias, NOW_S)
    with pytest.raises(BadToken, match="alias"):
        tokens.make_voucher(
            ISSUER, alias=alias, public_key=PHONE.public_key, expires_s=NOW_S, limit=Money(5_000, "CNY")
        )


@pytest.mark.parametrize("minor", [-1, 2**32])
def test_a_limit_that_does_not_fit_is_refused(minor: int) -> None:
    with pytest.raises(BadToken, match="limit"):
        tokens.make_voucher(ISSUER, alias=ALIAS, public_key=PHONE.public_key, expires_s=1, limit=Money(minor, "CNY"))


# any bytes, any text


@given(st.binary(max_size=200))
def test_any_bytes_are_a_token_or_refused(data: bytes) -> None:
    for parse, length in ((tokens.parse_short_token, 16), (tokens.parse_signed_token, 181), (tokens.read_voucher, 112)):
        try:
            parse(data)
        except BadToken:
            continue
        assert len(data) == length


@given(st.binary(min_size=180, max_size=180), st.sampled_from([0x21, 0x22]))
def test_any_signed_bytes_are_well_formed_or_refused(rest: bytes, kind: int) -> None:
    try:
        token = tokens.parse_signed_token(bytes([kind]) + rest)
    except BadToken:
        return
    with pytest.raises(BadToken):
        token.check(ISSUER.public_key, NONCE, NOW_S)


@given(st.binary(min_size=180, max_size=180))
def test_only_the_curve_has_points(rest: bytes) -> None:
    """A compressed point that lies on P-256, everything else by chance: never believed."""
    point = PHONE.public_key.public_numbers()
    data = b"\x21" + rest[:15] + bytes([2 + point.y % 2]) + point.x.to_bytes(32) + rest[48:]
    try:
        token: SignedToken = tokens.parse_signed_token(data)
    except BadToken:
        return
    assert isinstance(token.voucher.public_key, ec.EllipticCurvePublicKey)
    with pytest.raises(BadToken):
        token.check(ISSUER.public_key, None, token.made_s)


@pytest.mark.parametrize("token", [_short(), _short(NONCE), _signed(), _signed(NONCE)])
def test_a_token_comes_back_from_its_text(token: bytes) -> None:
    text = tokens.token_text(token)
    assert text.startswith("TW1:" if len(token) == 16 else "TW2:")
    assert set(text) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 $%*+-./:"), "QR alphanumeric mode"
    assert tokens.token_from_text(text) == token


@pytest.mark.parametrize(
    "text",
    [
        "",
        "TW1:",
        "TW2:",
        "TW1:AAAA",
        "TW3:" + "A" * 26,
        "TW1:" + tokens.token_text(_signed())[4:],
        "TW2:" + tokens.token_text(_short())[4:],
        tokens.token_text(_short())[:-1],
        tokens.token_text(_short()) + "=",
        tokens.token_text(_short()) + "A",
        " " + tokens.token_text(_short()),
        "TW1:" + "\u0131" * 26,
    ],
)
def test_text_that_is_no_token_is_refused(text: str) -> None:
    with pytest.raises(BadToken):
        tokens.token_from_text(text)


@given(st.text(max_size=40), st.sampled_from(["", "TW1:", "TW2:"]))
def test_any_text_is_a_token_or_refused(text: str, prefix: str) -> None:
    try:
        token = tokens.token_from_text(prefix + text)
    except BadToken:
        return
    assert tokens.is_wallet_token(token)


# challenges

CHALLENGE = Challenge("till-1", "aaaaaaaaaaaaaaa2", NONCE)


def test_a_challenge_comes_back_from_its_template() -> None:
    template = CHALLENGE.template()
    assert Challenge.from_template(template) == CHALLENGE
    assert sum(len(value) + 4 for value in template.values()) + 4 + len("org.tillwave.pay") <= 99


@pytest.mark.parametrize(
    "change", [{"01": "Till 1"}, {"01": ""}, {"02": "x"}, {"03": "AAAA"}, {"03": "!"}, {"03": ""}, {"01": "till/1"}]
)
def test_what_is_no_challenge_is_refused(change: dict[str, str]) -> None:
    with pytest.raises(BadToken):
        Challenge.from_template(CHALLENGE.template() | change)


@pytest.mark.parametrize("missing", ["01", "02", "03"])
def test_a_challenge_with_a_hole_is_refused(missing: str) -> None:
    template = CHALLENGE.template()
    del template[missing]
    with pytest.raises(BadToken, match="not the challenge"):
        Challenge.from_template(template)


@given(st.dictionaries(st.sampled_from(["01", "02", "03"]), st.text(max_size=30)))
def test_any_template_is_a_challenge_or_refused(fields: dict[str, str]) -> None:
    try:
        challenge = Challenge.from_template(fields)
    except BadToken:
        return
    assert len(challenge.nonce) == tokens.NONCE_BYTES
