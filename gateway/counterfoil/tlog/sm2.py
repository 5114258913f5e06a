"""SM2 lines on notes: what signs the checkpoints of a log's SM3 tree.

The signature type is none that C2SP assigned. Its identifier is 0xff and then
`keys.SM2_SM3_NAME`, as signed-note recommends for such types. The public key is the
uncompressed point, 65 bytes. The signature covers the text of the note as it stands,
with SM3 and the signer `1234567812345678`, and is two integers in DER: the same as
under a seal, and as `openssl` makes and checks it.

Source: C2SP signed-note 1.0.0, section "Signature types"; GB/T 32918.2-2016; GM/T
0009-2012, sections 6 and 10.
"""

from __future__ import annotations

from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature

from counterfoil.sm2.keys import SPKI_HEAD, Sm2PublicKey
from counterfoil.tlog.errors import MalformedNote, NoteSignatureInvalid
from counterfoil.tlog.keys import SignatureType
from counterfoil.tlog.lines import LineSigner, LineVerifier
from counterfoil.tlog.note import NoteSignature


@dataclass(frozen=True, slots=True)
class Sm2Verifier(LineVerifier):
    """Verifies SM2 lines."""

    signature_type = SignatureType.SM2_SM3

    def verify(self, text: bytes, signature: bytes) -> None:
        """Return if the key signed `text`.

        Raises:
            NoteSignatureInvalid: It did not.
            MalformedNote: The key is no point of the curve.
            Sm2Unavailable: This machine cannot do SM2.
        """
        try:
            # The head ends with the first byte of the point.
            key = Sm2PublicKey(SPKI_HEAD[:-1] + self.key.public_key)
        except ValueError as error:
            raise MalformedNote("the public key is no point of SM2's curve") from error
        try:
            key.verify(signature, text)
        except InvalidSignature as error:
            raise NoteSignatureInvalid("an SM2 signature does not verify") from error


@dataclass(frozen=True, slots=True)
class Sm2Signer(LineSigner):
    """Signs notes with SM2; the signature is in DER."""

    signature_type = SignatureType.SM2_SM3

    def sign(self, text: bytes, time_s: int) -> NoteSignature:
        """Sign `text`; this type states no time."""
        del time_s
        return self.line(self.sign_bytes(text))
