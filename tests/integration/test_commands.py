"""The command line against running gateways: what it prints, writes and refuses."""

from __future__ import annotations

import argparse
import asyncio
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from cryptography import x509

from counterfoil.daemon import cli
from counterfoil.domain.leaf import Leaf
from counterfoil.ledger.ledger import SqlLedger
from counterfoil.office import Standing
from counterfoil.tlog.proof_file import ProofFile
from tests.houses import BANK, FINANCE, UNIT, Town, running
from tests.integration.desks import reaches, submit
from tests.integration.papers import notice


def connection(town: Town, party: str, name: str = "1") -> list[str]:
    credential = town.ca.credential(party, "system", name)
    carrier = FINANCE if party == UNIT else party
    return [
        *("--address", f"127.0.0.1:{town.ports[carrier]}"),
        *("--certificate", str(credential.chain_file)),
        *("--key", f"file:{credential.key_file}"),
        *("--passphrase", f"file:{credential.pass_file}"),
        *("--authorities", str(town.pki / "authorities.pem")),
    ]


async def run(*arguments: str) -> int:
    return await asyncio.to_thread(cli.main, arguments)


async def test_a_search_finds_by_standing_type_and_number(
    town: Town, capsys: pytest.CaptureFixture[str]
) -> None:
    async with running(town, FINANCE, BANK), town.desk(BANK) as desk:
        for number in (1, 2, 11):
            done = await submit(desk, notice(number, BANK, UNIT))
            await reaches(desk, done, Standing.ARRIVED)
        capsys.readouterr()

        async def lines(*conditions: str) -> list[list[str]]:
            assert await run("search", *conditions, *connection(town, BANK)) == 0
            out = capsys.readouterr().out
            return [line.split("\t") for line in out.splitlines()]

        everything = await lines()
        assert len(everything) == 3
        assert {row[2] for row in everything} == {"ARRIVED"}
        assert (
            len(await lines("--standing", "sent,arrived", "--type", "5201,2205")) == 3
        )
        assert await lines("--standing", "sent") == []
        assert await lines("--type", "5201") == []
        assert len(await lines("--limit", "2")) == 2
        prefix = everything[0][0].split("/")[-1]
        assert await lines("--number", prefix) == everything[:1]
        assert await lines("--number", "none begins so") == []


@pytest.mark.parametrize(
    ("option", "value", "says"),
    [
        ("--standing", "arrived,gone", "gone is none of"),
        ("--type", "many", "--type: not a number"),
        ("--limit", "0", "--limit: not a number from 1"),
        ("--limit", "99999999999", "--limit: not a number from 1 to 2147483647"),
        ("--limit", "9" * 5000, "--limit: not a number from 1 to 2147483647"),
        ("--number", "\udcff", "--number: no number begins so"),
        ("--address", "nonsense", "--address: not host:port: 'nonsense'"),
        ("--certificate", "/dev/null", "--certificate: not a PEM file"),
        ("--authorities", "/dev/null", "--authorities: not a PEM file"),
        ("--authorities", "/", "/: cannot be read: Is a directory"),
        ("--key", "file:/", "not an ordinary file: /"),
        ("--key", "/", "not a key URI"),
        ("--passphrase", f"fd:{'9' * 20}", "fd: wants a number"),
        ("--passphrase", "fd:999999999", "cannot be read: fd:999999999"),
    ],
)
def test_a_condition_that_is_none_is_a_matter_of_usage(
    town: Town,
    capsys: pytest.CaptureFixture[str],
    option: str,
    value: str,
    says: str,
) -> None:
    # What stands last counts.
    assert cli.main(["search", *connection(town, BANK), option, value]) == cli.USAGE

    captured = capsys.readouterr()
    assert captured.out == ""
    assert says in captured.err
    assert captured.err.count("\n") == 1


def test_what_the_environment_says_counts_as_an_option(
    town: Town, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    options = connection(town, BANK)
    twins = dict(zip(options[::2], options[1::2], strict=True))
    for option, value in twins.items():
        monkeypatch.setenv(f"COUNTERFOIL_{option[2:].upper()}", value)
    monkeypatch.setenv("COUNTERFOIL_LIMIT", "none")
    monkeypatch.setenv("COUNTERFOIL_JSON", "1")

    assert cli.main(["search"]) == cli.USAGE
    assert "--limit" in capsys.readouterr().err
    assert cli.parser().parse_args(["vault", "verify"]).json is True


def options_below(parser: argparse.ArgumentParser) -> Iterator[argparse.Action]:
    """Yield every option of a command line and of the commands below it."""
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for each in action.choices.values():
                yield from options_below(each)
        elif action.option_strings and action.dest != "help":
            yield action


def test_every_option_names_its_twin() -> None:
    options = list(options_below(cli.parser()))

    assert len({option.dest for option in options}) > 10
    for option in options:
        twin = f"COUNTERFOIL_{option.dest.upper()}"
        assert f"[{twin}" in (option.help or ""), option.option_strings


async def test_an_inquiry_exports_all_that_a_third_party_needs(
    town: Town, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async with running(town, FINANCE, BANK), town.desk(BANK) as desk:
        done = await submit(desk, notice(1, BANK, UNIT))
        await reaches(desk, done, Standing.ARRIVED)
        target = tmp_path / "export"

        status = await run(
            *("inquire", done.digest.hex(), "--export", str(target)),
            *connection(town, BANK),
        )

    assert status == 0
    out = capsys.readouterr().out
    assert f"document\tVOUCHER\tsha256 {done.digest.hex()}" in out
    assert {each.name for each in target.iterdir()} == {"01", "log"}
    document = target / "01"
    files = {file.name for file in document.iterdir()}
    assert files == {
        "sealed.bin",
        "payload.bin",
        "seal-01.statement",
        "seal-01.signature",
        "seal-01.pem",
        "certificates.pem",
        "crls.pem",
    }
    parts = (document / "crls.pem").read_bytes().split(b"-----BEGIN")[1:]
    lists = [x509.load_pem_x509_crl(b"-----BEGIN" + part) for part in parts]
    authorities = (town.ca.root, town.ca.authority)
    assert {one.issuer for one in lists} == {
        each.certificate.subject for each in authorities
    }
    proofs = sorted(file.name for file in (target / "log").iterdir())
    acts = [int(name[4:14]) for name in proofs if name.startswith("act-")]
    assert len(acts) == 2
    assert proofs[2:] == [f"peer-{acts[-1]:010}.tlog-proof"]
    for name in proofs:
        proof = ProofFile.from_bytes((target / "log" / name).read_bytes())
        leaf = Leaf.from_bytes(proof.extra or b"")
        assert leaf.document == done.digest


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda town: [town.heads(BANK)[0][:-3]], "heads:"),
        (lambda _: [], "at least one log key is needed"),
        (lambda town: town.heads(BANK)[:1] * 2, "each only once"),
        (
            lambda town: town.heads(FINANCE),
            f"heads: a key of {FINANCE}/log stands where {BANK}/log is expected",
        ),
    ],
)
def test_init_refuses_a_peer_whose_log_keys_are_not_its_own(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    change: Callable[[Town], list[str]],
    says: str,
) -> None:
    town = Town(directory=tmp_path / "town")
    town.rewrite(FINANCE, f"heads = {town.heads(BANK)!r}", f"heads = {change(town)!r}")

    assert cli.main(["init", "--config", str(town.file(FINANCE))]) == cli.USAGE

    assert says in capsys.readouterr().err
    assert not town.state(FINANCE).exists()


def test_init_reads_a_descriptor_once(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    town = Town(directory=tmp_path / "town")
    text = town.file(FINANCE).read_text("utf-8")
    for name in ("ed25519_passphrase", "mldsa44_passphrase"):
        [line] = [one for one in text.splitlines() if one.startswith(name)]
        path = line.partition("file:")[2].strip('"')
        reading, writing = os.pipe()
        os.write(writing, (town.file(FINANCE).parent / path).read_bytes())
        os.close(writing)
        text = text.replace(line, f'{name} = "fd:{reading}"')
    town.file(FINANCE).write_text(text, "utf-8")

    assert cli.main(["init", "--config", str(town.file(FINANCE))]) == cli.DONE

    told = capsys.readouterr().out
    assert [line.split()[0] for line in told.splitlines()].count("head") == 2


async def test_a_ledger_that_is_behind_is_no_fault(
    town: Town, capsys: pytest.CaptureFixture[str]
) -> None:
    async with running(town, FINANCE, BANK), town.desk(BANK) as desk:
        done = await submit(desk, notice(1, BANK, UNIT))
        await reaches(desk, done, Standing.ARRIVED)
    url = f"sqlite:///{town.state(BANK) / 'ledger.sqlite'}"
    ledger = await asyncio.to_thread(SqlLedger.open, url)
    size = await ledger.next_index()
    await ledger.drop_and_recreate()
    await ledger.close()
    capsys.readouterr()

    assert await run("vault", "verify", "--config", str(town.file(BANK))) == cli.DONE

    told = capsys.readouterr()
    assert told.out == ""
    assert f"the ledger took in {size} leaves first" in told.err
    assert await run("vault", "verify", "--config", str(town.file(BANK))) == cli.DONE
    assert "took in" not in capsys.readouterr().err


async def test_what_is_stopped_in_order_has_a_ledger_that_agrees(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with running(town, BANK) as gateways, town.desk(BANK) as desk:
        monkeypatch.setattr(gateways[BANK]._follower, "_gather_s", 600)
        await submit(desk, notice(1, BANK, UNIT))
        size = gateways[BANK]._vault.size()
        assert gateways[BANK]._follower._next < size

    url = f"sqlite:///{town.state(BANK) / 'ledger.sqlite'}"
    ledger = await asyncio.to_thread(SqlLedger.open, url)
    assert await ledger.next_index() == size > 0
    await ledger.close()
