"""The five kinds of certificates of a mall, and what each may be used for.

Signing certificates carry the key usage "content commitment" alone: no TLS library takes them for a connection.
"""

from __future__ import annotations

from enum import Enum

from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID, ObjectIdentifier

from keys.certificates import RECORD_UNIT, SETTLEMENT_UNIT, TLS_UNIT


class Role(Enum):
    """What a certificate is for; the value is written into the authority's log."""

    BROKER = "broker"
    SETTLEMENT_TLS = "settlement tls"
    SETTLEMENT_SIGNING = "settlement signing"
    TERMINAL_TLS = "terminal tls"
    TERMINAL_RECORD = "terminal record"

    @property
    def unit(self) -> str:
        """The OU of the subject."""
        return _UNITS.get(self, TLS_UNIT)

    @property
    def is_for_tls(self) -> bool:
        """Whether it is for connections; else it is for signatures that are kept."""
        return self.unit == TLS_UNIT

    @property
    def usages(self) -> tuple[ObjectIdentifier, ...]:
        """The extended key usages; none for signing."""
        return _USAGES.get(self, ())

    @property
    def is_of_terminal(self) -> bool:
        """Whether it bears the name of a terminal."""
        return self in (Role.TERMINAL_TLS, Role.TERMINAL_RECORD)

    def key_usage(self) -> x509.KeyUsage:
        """Give the key usage extension."""
        return _key_usage(digital_signature=self.is_for_tls, content_commitment=not self.is_for_tls)


def authority_key_usage() -> x509.KeyUsage:
    """Give the key usage of the authority itself."""
    return _key_usage(key_cert_sign=True, crl_sign=True)


def _key_usage(
    *,
    digital_signature: bool = False,
    content_commitment: bool = False,
    key_cert_sign: bool = False,
    crl_sign: bool = False,
) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=digital_signature,
        content_commitment=content_commitment,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=key_cert_sign,
        crl_sign=crl_sign,
        encipher_only=False,
        decipher_only=False,
    )


_UNITS = {Role.SETTLEMENT_SIGNING: SETTLEMENT_UNIT, Role.TERMINAL_RECORD: RECORD_UNIT}
_USAGES = {
    Role.BROKER: (ExtendedKeyUsageOID.SERVER_AUTH,),
    Role.SETTLEMENT_TLS: (ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH),
    Role.TERMINAL_TLS: (ExtendedKeyUsageOID.CLIENT_AUTH,),
}
