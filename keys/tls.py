"""Connections over TLS by the certificates of one mall."""

from __future__ import annotations

import ssl
from pathlib import Path


def client_context(authority: Path, certificate: Path, key: Path) -> ssl.SSLContext:
    """Trust only what the authority of the mall has issued, and show a certificate; OSError if a file is no use."""
    context = ssl.create_default_context(cafile=str(authority))
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(certificate, key)
    return context
