"""Who signs: a certificate and its key, made here for this user, or the user's own.

The folder holds ``chain.pem`` (the certificate first, then those above it) and ``key.pem``. When it is not there, a
certificate is made under an authority of its own, whose key is thrown away: it vouches for nobody, it only ties a file
to whoever holds this folder. Put files from a real authority there to sign in a name that others can check.
"""

from __future__ import annotations

import datetime
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from covermaker.disk import disk_errors, told_by
from covermaker.errors import ResourceError

if TYPE_CHECKING:
    from collections.abc import Sequence

FOLDER_VARIABLE = "COVERMAKER_CREDENTIALS"

_CHAIN, _KEY = "chain.pem", "key.pem"
_YEARS = 10
_AUTHOR = "Covermaker user"


@dataclass(frozen=True, slots=True)
class Identity:
    """Where certificate and key are."""

    chain: Path
    key: Path

    def read(self) -> tuple[bytes, bytes]:
        """Return the certificates and the key, as PEM.

        Raises
        ------
        ResourceError
            When one of them cannot be read.
        """
        try:
            return self.chain.read_bytes(), self.key.read_bytes()
        except OSError as error:
            raise ResourceError(
                f"the content credentials cannot be signed: {error.filename}: {error.strerror}",
                hint="check the files in that folder",
            ) from error

    @property
    def folder(self) -> Path:
        """Where both are."""
        return self.chain.parent

    def refused(self, words: str) -> ResourceError:
        """Return the error of files that nothing can be signed with."""
        return ResourceError(
            f"the content credentials in {self.folder} cannot be used: {words}",
            hint=f"put a {_CHAIN} and the {_KEY} that belongs to it there, or take both away to have them made",
        )

    def check_pair(self) -> None:
        """Refuse a key that does not belong to the certificate.

        Raises
        ------
        ResourceError
            When it does not, or one of them cannot be read.
        """
        from cryptography import x509
        from cryptography.exceptions import UnsupportedAlgorithm
        from cryptography.hazmat.primitives.serialization import load_pem_private_key

        chain, key = self.read()
        algorithm_of(key)
        try:
            certificate = x509.load_pem_x509_certificates(chain)[0]
            fits = certificate.public_key() == load_pem_private_key(key, password=None).public_key()
        except (ValueError, UnsupportedAlgorithm) as error:
            raise self.refused(f"{_CHAIN} holds no certificates in PEM") from error
        if not fits:
            raise self.refused(f"{_KEY} is not the key of the first certificate in {_CHAIN}")


def need_extra() -> None:
    """Refuse where the packages that sign are not installed.

    Raises
    ------
    ResourceError
        With the next step.
    """
    try:
        import c2pa  # noqa: F401
    except ImportError as error:
        raise ResourceError(
            "content credentials need the extra 'credentials'", hint="pip install 'covermaker[credentials]'"
        ) from error


def identity() -> Identity:
    """Return who signs here; made on the first call.

    Raises
    ------
    ResourceError
        When the extra is missing, the folder holds only one of the two files, or cannot be written.
    """
    need_extra()
    found = located()
    folder = found.folder
    there = [path.is_file() for path in (found.chain, found.key)]
    if not any(there):
        _make(folder)
    elif not all(there):
        missing = found.key if there[0] else found.chain
        raise ResourceError(
            f"{folder} has no {missing.name}",
            hint="put it there, or take the other file away to have both made",
        )
    return found


def located() -> Identity:
    """Return who signs here, whether it is made already or not; makes and checks nothing."""
    folder = folder_of_identity()
    return Identity(folder / _CHAIN, folder / _KEY)


def folder_of_identity() -> Path:
    """Return the folder, which need not exist."""
    from platformdirs import user_data_dir

    return told_by(FOLDER_VARIABLE) or Path(user_data_dir("covermaker")) / "credentials"


def algorithm_of(key: bytes) -> str:
    """Return what C2PA calls the signatures of a private key.

    Raises
    ------
    ResourceError
        When it is no such key.
    """
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    try:
        loaded = load_pem_private_key(key, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise ResourceError(
            "the key of the content credentials cannot be read: it is no private key in PEM without a password",
            hint=f"see {folder_of_identity() / _KEY}; take it and {_CHAIN} away to have both made",
        ) from error
    if isinstance(loaded, ec.EllipticCurvePrivateKey):
        return {256: "es256", 384: "es384", 521: "es512"}.get(loaded.curve.key_size, "es256")
    if isinstance(loaded, ed25519.Ed25519PrivateKey):
        return "ed25519"
    if isinstance(loaded, rsa.RSAPrivateKey):
        return "ps256"
    raise ResourceError(
        "content credentials are signed with EC, Ed25519 or RSA keys",
        hint=f"put one of these there: {folder_of_identity() / _KEY}",
    )


def _make(folder: Path) -> None:
    """Make both files, or leave those of another process that was quicker."""
    from cryptography.hazmat.primitives import serialization as pem

    chain, key = _certificates()
    with disk_errors(folder):
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".credentials-", dir=folder.parent) as work:
            made = Path(work) / "made"
            made.mkdir(mode=0o700)
            _write_private(made / _CHAIN, b"".join(one.public_bytes(pem.Encoding.PEM) for one in chain))
            _write_private(
                made / _KEY,
                key.private_bytes(pem.Encoding.PEM, pem.PrivateFormat.PKCS8, pem.NoEncryption()),
            )
            if folder.is_dir():
                for name in (_CHAIN, _KEY):
                    os.replace(made / name, folder / name)
            else:
                os.rename(made, folder)


def _write_private(path: Path, data: bytes) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(data)


def _certificates() -> tuple[Sequence[Any], Any]:
    """Return a certificate as C2PA wants it (its specification, 14.5), the one above it, and the first one's key."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

    now = datetime.datetime.now(datetime.UTC)
    begin, end = now - datetime.timedelta(days=1), now + datetime.timedelta(days=365 * _YEARS)

    def name(common: str) -> x509.Name:
        pairs = ((NameOID.ORGANIZATION_NAME, "Covermaker, self-made"), (NameOID.COMMON_NAME, common))
        return x509.Name([x509.NameAttribute(kind, text) for kind, text in pairs])

    def started(subject: x509.Name, key: Any, issuer: x509.Name, above: Any, ca: bool) -> Any:
        usage = dict.fromkeys(
            (
                "digital_signature", "content_commitment", "key_encipherment", "data_encipherment",
                "key_agreement", "key_cert_sign", "crl_sign", "encipher_only", "decipher_only",
            ),
            False,
        )  # fmt: skip
        usage |= {"key_cert_sign": True, "crl_sign": True} if ca else {"digital_signature": True}
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(issuer)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(begin)
            .not_valid_after(end)
            .add_extension(x509.BasicConstraints(ca=ca, path_length=0 if ca else None), critical=True)
            .add_extension(x509.KeyUsage(**usage), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(above.public_key()), critical=False
            )
        )

    above, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    authority = name("Authority of one certificate")
    root = started(authority, above, authority, above, True).sign(above, hashes.SHA256())
    leaf = started(name(_AUTHOR), key, authority, above, False).add_extension(
        x509.ExtendedKeyUsage([ExtendedKeyUsageOID.EMAIL_PROTECTION]), critical=False
    )
    return [leaf.sign(above, hashes.SHA256()), root], key
