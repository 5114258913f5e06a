"""The witness's decision, against a published run and against forks."""

from __future__ import annotations

from base64 import b64decode
from dataclasses import replace

import pytest

from counterfoil.tlog.checkpoint import (
    Checkpoint,
    parse_checkpoint,
    sign_checkpoint,
    unverified_origin,
)
from counterfoil.tlog.ed25519 import Ed25519Verifier
from counterfoil.tlog.errors import (
    HeadConflict,
    HeadFork,
    MalformedNote,
    NoteError,
    NoteSignatureInvalid,
    NoteUnsigned,
    OldSizeInvalid,
    OriginUnknown,
    ProofError,
)
from counterfoil.tlog.keys import SignatureType, VerifierKey
from counterfoil.tlog.merkle import TreeHead, empty_head
from counterfoil.tlog.note import parse_note
from counterfoil.tlog.witness import (
    PROOF_HASHES_MAX,
    Submission,
    WitnessedLog,
    accept_checkpoint,
)
from tests.unit.tlog.oracle import (
    Ed25519Key,
    MlDsaKey,
    consistency_path,
    head_of,
    leaves_of,
    vectors,
)

ORIGIN = "bank.example/vault"
KEY = Ed25519Key(ORIGIN)
LEAVES = leaves_of(12)
FORK = [*LEAVES[:4], *leaves_of(8, salt=1)]
LOG = WitnessedLog(origin=ORIGIN, keys=(KEY.verifier,), head=head_of(LEAVES[:5]))


def signed(head: TreeHead, origin: str = ORIGIN) -> bytes:
    return sign_checkpoint(Checkpoint(origin=origin, head=head), [KEY.signer], 0)


def submission(
    old_size: int,
    leaves: list[bytes],
    proof: list[bytes] | None = None,
    checkpoint: bytes | None = None,
) -> Submission:
    honest = consistency_path(old_size, leaves) if 0 < old_size <= len(leaves) else []
    return Submission(
        old_size=old_size,
        proof=honest if proof is None else proof,
        checkpoint=checkpoint or signed(head_of(leaves)),
    )


def test_a_published_run_of_submissions_is_judged_as_published() -> None:
    run = vectors("tlog_witness.json")
    key = VerifierKey(
        name=run["log_origin"],
        signature_type=SignatureType.ED25519,
        public_key=bytes.fromhex(run["log_public_key_hex"]),
    )
    log = WitnessedLog(
        origin=run["log_origin"], keys=(Ed25519Verifier(key),), head=empty_head()
    )
    statuses: list[int] = []
    conflicts: list[int] = []

    for published in run["submissions"]:
        asked = Submission(
            old_size=published["old_size"],
            proof=[b64decode(value) for value in published["proof"]],
            checkpoint=published["checkpoint"].encode(),
        )
        try:
            log = replace(log, head=accept_checkpoint(log, asked).checkpoint.head)
            statuses.append(200)
        # One of the published forgeries is refused for its base64 already.
        except NoteError:
            statuses.append(403)
        except HeadConflict as conflict:
            conflicts.append(conflict.size)
            statuses.append(409)
        except ProofError:
            statuses.append(422)

    assert statuses == [published["status"] for published in run["submissions"]]
    assert statuses == [200, 403, 403, 422, 422, 200, 409, 200, 409]
    assert log.head.size == 5
    assert conflicts == [
        published["conflict_size"]
        for published in run["submissions"]
        if published["status"] == 409
    ]


def test_growth_is_accepted_and_gives_the_head_to_store() -> None:
    opened = accept_checkpoint(LOG, submission(5, LEAVES))

    assert opened.checkpoint.head == head_of(LEAVES)
    assert opened.note.bytes_read == signed(head_of(LEAVES))


def test_the_first_checkpoint_is_accepted_from_the_empty_tree() -> None:
    log = replace(LOG, head=empty_head())

    assert accept_checkpoint(log, submission(0, LEAVES)).checkpoint.head.size == 12


def test_the_same_head_again_is_accepted() -> None:
    opened = accept_checkpoint(LOG, submission(5, LEAVES[:5]))

    assert opened.checkpoint.head == LOG.head


def test_another_root_for_the_size_last_cosigned_is_a_fork() -> None:
    with pytest.raises(HeadFork):
        accept_checkpoint(LOG, submission(5, FORK[:5]))


@pytest.mark.parametrize("size", range(6, 13))
def test_a_fork_that_grew_is_refused_whatever_its_proof(size: int) -> None:
    with pytest.raises(ProofError):
        accept_checkpoint(LOG, submission(5, FORK[:size]))
    with pytest.raises(ProofError):
        accept_checkpoint(
            LOG, submission(5, FORK[:size], proof=consistency_path(5, LEAVES[:size]))
        )


@pytest.mark.parametrize("old_size", [0, 1, 4, 6, 12])
def test_another_old_size_is_told_the_size_last_cosigned(old_size: int) -> None:
    with pytest.raises(HeadConflict) as caught:
        accept_checkpoint(LOG, submission(old_size, LEAVES))

    assert caught.value.size == 5


def test_a_log_cannot_be_rolled_back() -> None:
    with pytest.raises(OldSizeInvalid):
        accept_checkpoint(LOG, submission(5, LEAVES[:4]))
    with pytest.raises(HeadConflict):
        accept_checkpoint(LOG, submission(3, LEAVES[:4]))


def test_a_negative_old_size_is_refused() -> None:
    with pytest.raises(OldSizeInvalid):
        accept_checkpoint(LOG, submission(-1, LEAVES))


def test_who_has_not_signed_is_not_told_the_size() -> None:
    stranger = Ed25519Key(ORIGIN, 9)
    log = replace(LOG, keys=(stranger.verifier,))

    with pytest.raises(NoteUnsigned):
        accept_checkpoint(log, submission(0, LEAVES))


def test_every_key_of_the_log_must_have_signed() -> None:
    both = replace(LOG, keys=(KEY.verifier, MlDsaKey(ORIGIN).verifier))

    with pytest.raises(NoteUnsigned):
        accept_checkpoint(both, submission(5, LEAVES))


def test_a_forged_line_is_refused_before_sizes_are_compared() -> None:
    checkpoint = signed(head_of(LEAVES)).replace(b"\n12\n", b"\n13\n")

    with pytest.raises(NoteSignatureInvalid):
        accept_checkpoint(LOG, submission(0, LEAVES, checkpoint=checkpoint))


def test_another_logs_checkpoint_is_refused_before_sizes_are_compared() -> None:
    checkpoint = signed(head_of(LEAVES), origin="bank.example/other")

    assert unverified_origin(checkpoint) == "bank.example/other"
    with pytest.raises(OriginUnknown):
        accept_checkpoint(LOG, submission(0, LEAVES, checkpoint=checkpoint))


def test_what_is_no_checkpoint_is_refused() -> None:
    with pytest.raises(MalformedNote):
        accept_checkpoint(LOG, submission(5, LEAVES, checkpoint=b"nothing"))


def test_size_zero_has_the_empty_trees_root() -> None:
    log = replace(LOG, head=empty_head())
    forged = signed(TreeHead(0, LEAVES[0]))

    assert accept_checkpoint(log, submission(0, [])).checkpoint.head == empty_head()
    with pytest.raises(ProofError, match="empty tree"):
        accept_checkpoint(log, submission(0, [], checkpoint=forged))


def test_from_the_empty_tree_the_proof_is_empty() -> None:
    log = replace(LOG, head=empty_head())

    with pytest.raises(ProofError, match="too long"):
        accept_checkpoint(log, submission(0, LEAVES, proof=[LEAVES[0]]))


def test_a_proof_that_is_too_long_is_refused() -> None:
    longest = LEAVES[:1] * PROOF_HASHES_MAX

    with pytest.raises(ProofError, match="too long"):
        accept_checkpoint(LOG, submission(5, LEAVES, proof=longest))
    with pytest.raises(ProofError, match="more hashes than any log sends"):
        accept_checkpoint(LOG, submission(5, LEAVES, proof=[*longest, LEAVES[0]]))


def test_the_cosignature_goes_onto_the_text_that_was_accepted() -> None:
    witness = Ed25519Key("treasury.example/witness", 4)
    opened = accept_checkpoint(LOG, submission(5, LEAVES))

    line = witness.cosigner.sign(opened.note.text, 1_700_000_000)

    text = parse_note(signed(head_of(LEAVES))).text
    assert parse_checkpoint(text) == opened.checkpoint
    witness.cosignature_verifier.verify(text, line.value)
