"""Whether what stands registered permits the seals on a document (登记簿准许).

The transaction that writes a document asks, and `verify` asks again, of the register
as it stood at the document's leaf.
"""

from __future__ import annotations

from dataclasses import replace

from counterfoil.domain.document import Document
from counterfoil.domain.party import Use, use_of
from counterfoil.domain.register import Register
from counterfoil.domain.standing import OUR_OWN, Act


def require_good_seals(register: Register, document: Document, at_us: int) -> None:
    """Check that no seal is by a void certificate, and each within its filing.

    Args:
        register: What stands registered.
        document: The document.
        at_us: When it comes, microseconds since the epoch. One whose seals are known
            to have existed before is judged as of then, by what still stands.

    Raises:
        SignerUnlisted: The directory does not name a certificate as it was judged.
        CertificateLost: A certificate was reported lost or revoked here.
        FilingMissing: A signer has no filing in force.
        OutsideFiling: A seal is outside its filing.
    """
    register.require_listed(document.listed)
    earlier = document.earlier
    register.require_not_void(
        document.signers, None if earlier is None else earlier.time_us
    )
    register.require_filed(
        document.sealings,
        document.key.type_code,
        document.amount_fen,
        at_us if earlier is None else earlier.time_us,
    )


def require_own_seals(register: Register, document: Document, at_us: int) -> None:
    """Check the same of a document of ours, and that its certificates are in use.

    The persons sealed some time ago; whoever gets it asks the same.

    Raises:
        CertificateNotActive: A certificate was not put to use, and that is demanded.
        CertificateLost: One was reported lost or revoked since.
        SignerUnlisted: See `require_good_seals`.
        FilingMissing: See `require_good_seals`.
        OutsideFiling: See `require_good_seals`.
    """
    for certificate in document.signers:
        register.require_in_use(certificate)
    require_good_seals(register, document, at_us)
    register.require_not_void(document.beneath)
    if register.demanding:
        for (_, urn), certificate in zip(
            document.sealings, document.beneath, strict=False
        ):
            register.require_active(urn, certificate)


def require_permitted(
    register: Register, act: Act, document: Document, at_us: int
) -> None:
    """Check of a stored document what was checked when its leaf was written.

    Args:
        register: What stood registered before its leaf.
        act: Its leaf's act.
        document: What it states, judged like one of a peer's: its signers are all
            those of its seals, lowest first, and behind them its enclosures'.
        at_us: Its leaf's time.

    Raises:
        CounterfoilError: See `require_own_seals` and `require_good_seals`.
    """
    if act not in OUR_OWN:
        require_good_seals(register, document, at_us)
        return
    # Persons seal first, each once; the institution closes it. What it encloses had
    # arrived before, and was judged then.
    persons = sum(use_of(urn) == Use.PERSON.value for _, urn in document.sealings)
    ours = replace(
        document,
        beneath=document.signers[:persons],
        signers=document.signers[persons : len(document.sealings)],
    )
    require_own_seals(register, ours, at_us)
