"""A gateway whose log has an SM3 tree, and one whose log has none."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final, TypeAlias

import grpc
import pytest
import pytest_asyncio

from counterfoil.daemon import cli, selftest_peers
from counterfoil.daemon.alerts import AlertCode
from counterfoil.daemon.config import ConfigurationRefused
from counterfoil.daemon.gateway import Gateway
from counterfoil.daemon.keys import load_head_signers
from counterfoil.daemon.selftest_peers import check_heads
from counterfoil.daemon.selftest_report import Level
from counterfoil.domain.refusals import TreesDiffer
from counterfoil.exchange.v1 import exchange_pb2 as pb
from counterfoil.exchange.v1 import exchange_pb2_grpc
from counterfoil.office import Reference, Standing
from counterfoil.tlog.checkpoint import Checkpoint, open_checkpoint, sign_checkpoint
from counterfoil.tlog.keys import SignatureType, VerifierKey
from counterfoil.tlog.merkle import TreeHead, leaf_hash
from counterfoil.tlog.proof_file import ProofFile
from counterfoil.tlog.sm3 import sm3
from counterfoil.tlog.verification import verify_consistency, verify_inclusion
from counterfoil.tlog.verifiers import verifier_of
from counterfoil.vault.heads import known_heads
from counterfoil.vault.records import INDEX
from tests.houses import BANK, FINANCE, UNIT, Town, environment, running
from tests.integration.desks import done, reaches, reason_of
from tests.integration.papers import Papers
from tests.integration.test_scrubbing import flip, passes, scrubbed

pytestmark = [pytest.mark.tools, pytest.mark.asyncio(loop_scope="module")]

Program: TypeAlias = Callable[[str], Path]

SM3: Final = pb.LOG_TREE_SM3
ORIGIN: Final = f"{FINANCE}/log-sm3"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def town(
    tmp_path_factory: pytest.TempPathFactory, program: Program
) -> AsyncIterator[Town]:
    """Run finance's gateway, whose log has the tree, and the bank's, whose has not."""
    program("libcrypto")
    made = Town(
        directory=tmp_path_factory.mktemp("sm3"),
        sm3=(FINANCE,),
        settings={"limits": "retry_s_min = 0.05\nretry_s_max = 0.5"},
    )
    made.initialise()
    async with running(made):
        yield made


@pytest.fixture(scope="module")
def papers() -> Papers:
    return Papers()


@asynccontextmanager
async def exchange(
    town: Town, at: str = FINANCE
) -> AsyncIterator[exchange_pb2_grpc.ExchangeServiceAsyncStub]:
    caller = BANK if at == FINANCE else FINANCE
    async with town.channel(caller, "gateway", at=at) as channel:
        yield exchange_pb2_grpc.ExchangeServiceStub(channel)


async def deliver(town: Town, papers: Papers) -> tuple[Reference, int]:
    """Let a notice of the bank arrive at finance; return it, and its leaf there."""
    notice = papers.notice()
    async with town.desk(BANK) as bank, town.desk(UNIT) as unit:
        (outcome,) = await bank.submit([notice])
        reference = Reference(notice.key, done(outcome).digest)
        await reaches(bank, reference, Standing.ARRIVED)
        (arrival,) = (
            act
            for act in (await unit.inquire(reference.digest)).acts
            if act.act == "ARRIVE VOUCHER"
        )
    return reference, arrival.leaf_index


def opened(town: Town, note: bytes) -> TreeHead:
    """Return the head of a checkpoint that both keys of the SM3 tree signed."""
    keys = [VerifierKey.from_text(text) for text in town.sm3_heads(FINANCE)]
    assert {key.signature_type for key in keys} == {
        SignatureType.ED25519,
        SignatureType.SM2_SM3,
    }
    required = [verifier_of(key) for key in keys]
    return open_checkpoint(note, origin=ORIGIN, required=required).checkpoint.head


async def test_the_second_tree_proves_to_a_peer_what_the_first_does(
    town: Town, papers: Papers
) -> None:
    await deliver(town, papers)
    async with exchange(town) as stub:
        older = await stub.GetCheckpoint(pb.GetCheckpointRequest(tree=SM3))
        reference, index = await deliver(town, papers)
        leaf = await stub.GetProof(pb.GetProofRequest(leaf=index, tree=SM3))
        before = opened(town, older.checkpoint)
        growth = await stub.GetProof(
            pb.GetProofRequest(older_size=before.size, tree=SM3)
        )
        plain = await stub.GetProof(pb.GetProofRequest(leaf=index))

    head, after = opened(town, leaf.checkpoint), opened(town, growth.checkpoint)
    verify_inclusion(index, leaf_hash(leaf.leaf, sm3), head, tuple(leaf.hashes), sm3)
    verify_consistency(before, after, tuple(growth.hashes), sm3)
    assert before.size < after.size
    assert reference.digest in leaf.leaf
    assert plain.checkpoint.startswith(f"{FINANCE}/log\n".encode())
    assert plain.leaf == leaf.leaf
    assert tuple(plain.hashes) != tuple(leaf.hashes)


async def test_a_size_of_the_past_is_proved_by_it(town: Town, papers: Papers) -> None:
    _, index = await deliver(town, papers)
    async with exchange(town) as stub:
        newest = await stub.GetCheckpoint(pb.GetCheckpointRequest(tree=SM3))
        head = opened(town, newest.checkpoint)
        await deliver(town, papers)
        leaf = await stub.GetProof(
            pb.GetProofRequest(leaf=index, tree_size=head.size, tree=SM3)
        )

    assert leaf.checkpoint == b""
    verify_inclusion(index, leaf_hash(leaf.leaf, sm3), head, tuple(leaf.hashes), sm3)


@pytest.mark.refusal("TREE_MISSING")
async def test_who_has_no_such_tree_says_so(town: Town) -> None:
    async with exchange(town, at=BANK) as stub:
        for ask in (
            stub.GetCheckpoint(pb.GetCheckpointRequest(tree=SM3)),
            stub.GetProof(pb.GetProofRequest(older_size=0, tree=SM3)),
            stub.GetProof(pb.GetProofRequest(older_size=0, tree_size=1, tree=SM3)),
        ):
            with pytest.raises(grpc.aio.AioRpcError) as refused:
                await ask
            assert reason_of(refused.value) == "TREE_MISSING"
            assert refused.value.code() is grpc.StatusCode.NOT_FOUND
        named = pb.GetCheckpointRequest(tree=pb.LOG_TREE_SHA256)
        answer = await stub.GetCheckpoint(named)

    assert answer.checkpoint.startswith(f"{BANK}/log\n".encode())


@pytest.mark.refusal("FORM_REFUSED")
async def test_a_tree_that_nobody_knows_is_refused(town: Town) -> None:
    unknown = pb.LogTree.ValueType(7)
    async with exchange(town) as stub:
        for ask in (
            stub.GetCheckpoint(pb.GetCheckpointRequest(tree=unknown)),
            stub.GetProof(pb.GetProofRequest(older_size=1, tree=unknown)),
        ):
            with pytest.raises(grpc.aio.AioRpcError) as refused:
                await ask
            assert reason_of(refused.value) == "FORM_REFUSED"


async def inquire(town: Town, party: str, voucher: str, export: Path) -> int:
    credential = town.ca.credential(party, "system")
    carrier = town.carrier_of(party)
    return await asyncio.to_thread(
        cli.main,
        [
            *("inquire", voucher, "--export", str(export)),
            *("--address", f"127.0.0.1:{town.ports[carrier]}"),
            *("--certificate", str(credential.chain_file)),
            *("--key", f"file:{credential.key_file}"),
            *("--passphrase", f"file:{credential.pass_file}"),
            *("--authorities", str(town.pki / "authorities.pem")),
        ],
    )


async def test_an_export_has_the_proofs_of_both_trees(
    town: Town, papers: Papers, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    reference, _ = await deliver(town, papers)
    digest = reference.digest.hex()

    assert await inquire(town, UNIT, digest, tmp_path / "unit") == cli.DONE
    told = capsys.readouterr().out
    assert await inquire(town, BANK, digest, tmp_path / "bank") == cli.DONE

    assert f"log\t{FINANCE}/log\t" in told
    assert f"log\t{ORIGIN}\t" in told
    first = sorted((tmp_path / "unit/log").glob("act-*"))
    second = sorted((tmp_path / "unit/log-sm3").iterdir())
    assert [one.name for one in first] == [one.name for one in second]
    assert first
    keys = [VerifierKey.from_text(text) for text in town.sm3_heads(FINANCE)]
    for one, other in zip(first, second, strict=True):
        file = ProofFile.from_bytes(other.read_bytes())
        leaf = ProofFile.from_bytes(one.read_bytes()).extra
        assert file.extra == leaf is not None
        file.verify(
            leaf_hash(leaf, sm3),
            origin=ORIGIN,
            required=[verifier_of(key) for key in keys],
            hash_function=sm3,
        )
    assert not (tmp_path / "bank/log-sm3").exists()


async def test_its_keys_are_shown_under_another_word(
    town: Town, capsys: pytest.CaptureFixture[str]
) -> None:
    for party in (FINANCE, BANK):
        command = ["keys", "--config", str(town.file(party))]
        assert await asyncio.to_thread(cli.main, command) == cli.DONE
    shown = capsys.readouterr().out.splitlines()

    assert [line.split()[1] for line in shown if line.startswith("head-sm3 ")] == (
        town.sm3_heads(FINANCE)
    )
    assert [line.split()[1] for line in shown if line.startswith("head ")] == [
        *town.heads(FINANCE),
        *town.heads(BANK),
    ]
    key = town.pki / FINANCE / "head-sm2.key"
    assert f"key head file:{key} usable" in shown


async def test_a_bit_of_the_second_tree_is_found_while_the_gateway_runs(
    tmp_path: Path, program: Program
) -> None:
    program("libcrypto")
    made = Town(directory=tmp_path / "town", sm3=(BANK,))
    made.initialise()
    async with scrubbed(made) as gateway:
        await passes(gateway, 2)
        whole = gateway._alerts.about(AlertCode.VAULT_DAMAGED)

        flip(gateway, "sm3_tiles", b"\0" + INDEX.pack(0), 40)
        await passes(gateway, 2)

        damaged = gateway._alerts.about(AlertCode.VAULT_DAMAGED)
    assert whole == []
    assert "SM3_TREE_CHANGED/1/" in damaged
    assert not [one for one in damaged if one.startswith("TREE_CHANGED")]
    verify = ["vault", "verify", "--json", "--config", str(made.file(BANK))]
    assert await asyncio.to_thread(cli.main, verify) == cli.REFUSED


async def test_a_self_test_looks_for_the_heads_of_both_trees(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    def heads_of(party: str) -> dict[str, Level]:
        checks = check_heads(town.configuration(party), 0)
        return {check.about: check.level for check in checks}

    theirs, ours = heads_of(BANK), heads_of(FINANCE)
    known = known_heads(town.state(FINANCE) / "heads")
    del known[ORIGIN]
    monkeypatch.setattr(selftest_peers, "known_heads", lambda _: known)

    assert ours[ORIGIN] is ours[f"{FINANCE}/log"] is Level.OK
    assert set(theirs) == {f"{BANK}/log", f"{FINANCE}/log"}
    assert heads_of(FINANCE)[ORIGIN] is Level.FAULT


@pytest.mark.refusal("TREES_DIFFER")
@pytest.mark.parametrize("made_with", [True, False])
async def test_a_gateway_does_not_start_with_other_trees_than_its_vault_has(
    tmp_path: Path,
    program: Program,
    capsys: pytest.CaptureFixture[str],
    made_with: bool,  # noqa: FBT001
) -> None:
    program("libcrypto")
    made = Town(directory=tmp_path / "town", sm3=(FINANCE,))
    stem = f"file:pki/{FINANCE}/head-sm2"
    with_key = f'sm2 = "{stem}.key"\nsm2_passphrase = "{stem}.pass"\n'
    if made_with:
        made.initialise(FINANCE)
        made.rewrite(FINANCE, with_key, "")
    else:
        made.rewrite(FINANCE, with_key, "")
        made.initialise(FINANCE)
        made.rewrite(FINANCE, "[head]\n", f"[head]\n{with_key}")

    # Twice in one process: a refusal lets the directories go.
    for _ in range(2):
        with pytest.raises(TreesDiffer):
            await Gateway(made.configuration(FINANCE)).start()
    serve = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "counterfoil.daemon", "serve"),
        *("--config", str(made.file(FINANCE))),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment(),
    )
    out, told = await serve.communicate()

    assert (serve.returncode, out) == (cli.REFUSED, b"")
    assert "TREES_DIFFER: " in told.decode()
    assert "(凭证库建库时选定的哈希树与配置不一致)" in told.decode()
    verify = ["vault", "verify", "--config", str(made.file(FINANCE))]
    assert await asyncio.to_thread(cli.main, verify) == cli.DONE
    assert (", by SM3 " in capsys.readouterr().err) is made_with


@pytest.mark.parametrize("has_sm2", [True, False])
async def test_the_next_keys_sign_the_heads_of_both_trees_or_are_refused(
    tmp_path: Path,
    program: Program,
    has_sm2: bool,  # noqa: FBT001
) -> None:
    program("libcrypto")
    made = Town(directory=tmp_path / "town", sm3=(FINANCE, BANK))
    names = {"ed25519": "ed25519", "mldsa44": "ml-dsa-44"}
    names |= {"sm2": "sm2"} if has_sm2 else {}
    later = "".join(
        f'{key} = "file:pki/{BANK}/head-{name}.key"\n'
        f'{key}_passphrase = "file:pki/{BANK}/head-{name}.pass"\n'
        for key, name in names.items()
    )
    made.rewrite(FINANCE, "[head]\n", f"[head_next]\n{later}[head]\n")
    if not has_sm2:
        with pytest.raises(ConfigurationRefused, match="exactly if it stands in"):
            load_head_signers(made.configuration(FINANCE))
        return

    signers = load_head_signers(made.configuration(FINANCE))

    assert signers.next is not None
    for tree, lines, pairs in (
        (f"{FINANCE}/log", signers.of_log(), (signers.log, signers.next.log)),
        (ORIGIN, signers.of_sm3(), (signers.sm3, signers.next.sm3)),
    ):
        head = Checkpoint(origin=tree, head=TreeHead(1, leaf_hash(b"x")))
        note = sign_checkpoint(head, lines, 1)
        for pair in pairs:
            required = [verifier_of(one.key) for one in pair or ()]
            assert len(required) == 2
            opened = open_checkpoint(note, origin=tree, required=required)
            assert opened.checkpoint == head
