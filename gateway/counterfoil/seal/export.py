"""A document as files that `openssl` alone can judge.

`docs/verify-with-openssl.md` says what is done with them; who exports a document
writes `sealed.bin`, its bytes as the log knows them, beside them:

    payload.bin          the payload
    seal-01.statement    what the lowest seal says, verbatim; then seal-02 …
    seal-01.signature    its signature
    seal-01.batch        of a batch seal: index and size, then one hash a line
    seal-01.pem          the signer's certificate
    certificates.pem     all certificates, the authorities' included
    crls.pem             revocation lists
    answer-01.ocsp       a responder's answer about one of the certificates; if any

A trusted root is left out: whoever judges must have it from elsewhere.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from counterfoil.domain.seals import BatchPath, Seal
from counterfoil.seal.certificates import CertificateRefused, load_certificate
from counterfoil.seal.verify import ParseStatement


def export_for_openssl(  # noqa: PLR0913 - all that a judgement rests on
    payload: bytes,
    seals: Sequence[Seal],
    *,
    parse: ParseStatement,
    certificates: Mapping[bytes, bytes],
    crls: Iterable[bytes],
    answers: Iterable[bytes] = (),
) -> dict[str, bytes]:
    """Return the files, by name, that let others judge a document.

    Nothing is judged here; a forged document is exported as it is.

    Args:
        payload: The document.
        seals: Its seals, lowest first.
        parse: Parses statements.
        certificates: The signers' and the authorities' in DER, by digest.
        crls: Revocation lists in DER.
        answers: Responders' answers in DER.

    Raises:
        CertificateRefused: A signer's certificate is missing, or one cannot be read.
        ValueError: A statement or a list cannot be read.
    """
    files = {"payload.bin": payload}
    for number, seal in enumerate(seals, start=1):
        stem = f"seal-{number:02}"
        digest = parse(seal.statement).certificate_digest
        if digest not in certificates:
            raise CertificateRefused("a signer's certificate is missing")
        files[f"{stem}.statement"] = seal.statement
        files[f"{stem}.signature"] = seal.signature
        files[f"{stem}.pem"] = _pem(certificates[digest])
        if seal.batch is not None:
            files[f"{stem}.batch"] = _batch_lines(seal.batch)
    files["certificates.pem"] = b"".join(map(_pem, certificates.values()))
    files["crls.pem"] = b"".join(
        x509.load_der_x509_crl(crl).public_bytes(Encoding.PEM) for crl in crls
    )
    for number, answer in enumerate(answers, start=1):
        files[f"answer-{number:02}.ocsp"] = answer
    return files


def _pem(certificate: bytes) -> bytes:
    return load_certificate(certificate).public_bytes(Encoding.PEM)


def _batch_lines(path: BatchPath) -> bytes:
    lines = [f"{path.index} {path.size}", *(one.hex() for one in path.hashes)]
    return "".join(f"{line}\n" for line in lines).encode()
