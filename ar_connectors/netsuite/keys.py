"""How does an app get a key pair that NetSuite accepts? A private key and a self-signed certificate, and where to upload it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, Literal

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from ar_connectors.netsuite.account import Account

__all__ = ["LIFE", "KeyPair", "new_key_pair", "upload_advice"]

LIFE: Final = timedelta(days=730)
"""Two years are what guides use, and what NetSuite accepts at most as far as is known (quirks.md#ns-2)."""

_RSA_BITS: Final = 4096


@dataclass(frozen=True, slots=True)
class KeyPair:
    """A private key, for us, and its certificate, for NetSuite; both PEM."""

    private_key: str = field(repr=False)
    certificate: str
    expires_at: datetime


def new_key_pair(name: str, now: datetime, kind: Literal["ec", "rsa"] = "ec") -> KeyPair:
    """A new pair: P-256 (signs ES256), or RSA of 4096 bits (signs PS256). `name`: what the certificate says whose it is."""
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name[:64])])
    key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey
    key = (
        ec.generate_private_key(ec.SECP256R1())
        if kind == "ec"
        else rsa.generate_private_key(65537, _RSA_BITS)
    )
    whole = now.replace(microsecond=0)
    draft = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(whole - timedelta(minutes=5))
        .not_valid_after(whole + LIFE - timedelta(days=1))
    )
    if isinstance(key, rsa.RSAPrivateKey):
        # PKCS#1 v1.5 is refused, so the certificate is not signed with it either.
        padded = padding.PSS(padding.MGF1(SHA256()), padding.PSS.DIGEST_LENGTH)
        certificate = draft.sign(key, SHA256(), rsa_padding=padded)
    else:
        certificate = draft.sign(key, SHA256())
    return KeyPair(
        key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode(),
        certificate.public_bytes(Encoding.PEM).decode(),
        certificate.not_valid_after_utc,
    )


def upload_advice(one: Account, certificate_file: str) -> tuple[str, ...]:
    """What a person has to do in NetSuite, step by step, before an app with a new key can connect."""
    return (
        (
            f"1. Open {one.page('/app/setup/mainsetup.nl')} as an administrator: Setup > Company > Enable Features > SuiteCloud: "
            "REST Web Services and OAuth 2.0; and SuiteAnalytics Workbook under Analytics."
        ),
        (
            "2. Setup > Integration > Manage Integrations > New: tick Client Credentials (Machine to Machine) Grant and the scope "
            "REST Web Services, nothing else. Its Consumer Key is the client id; it is shown once."
        ),
        "3. Setup > Users/Roles > Manage Roles: a role of its own, with what `ar-connectors check` lists; not Administrator.",
        (
            "4. Setup > Integration > Manage Authentication > OAuth 2.0 Client Credentials (M2M) Setup > Create New: choose user, role "
            f"and the integration, and upload {certificate_file}. The Certificate ID of the new row is what this command asks for next."
        ),
        "5. A sandbox refresh wipes this mapping: repeat step 4 then. At most five certificates are active for an integration.",
    )
