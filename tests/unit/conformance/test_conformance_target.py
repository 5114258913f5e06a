"""The file that says which gateway is judged: what is wrong in it is told."""

from __future__ import annotations

from pathlib import Path

import pytest

from counterfoil.conformance.cli import main
from counterfoil.conformance.papers import Papers
from counterfoil.conformance.target import read_target
from tests.houses import BANK, FINANCE, UNIT, Town
from tests.integration.judged import documented, written


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Town:
    return Town(directory=tmp_path_factory.mktemp("judged"))


def test_the_example_says_whom_we_judge_and_play(town: Town) -> None:
    target = read_target(written(town, documented(town)))

    assert (target.party, target.peer) == (FINANCE, BANK)
    assert (target.host, target.port) == ("127.0.0.1", town.ports[FINANCE])
    assert target.voucher.recipient == UNIT
    assert target.receipt is not None
    assert len(target.heads) == 2
    assert target.register is not None
    assert target.register.counterpart is not None
    assert len(target.register.spares) == 3
    assert target.log is not None


@pytest.mark.parametrize(
    ("stated", "instead", "why"),
    [
        ('party = "420000-102"', "", "party is missing"),
        ("heads = [", 'heads = ["x", ', "heads: not a verifier key"),
        ('varied = "agency_name"', 'varied = "pay_amt_fen"', "voucher.varied"),
        ('key = "file:', 'key = "pkcs11:', "a key is given as file:PATH"),
        ("gateway-1.pass", "gateway-9.pass", "gateway-9.pass"),
        ("127.0.0.1:", "127.0.0.1:x", "gateway.address"),
        ("[gateway]", "[gateway", "line 1"),
        ("type = 2205", "type = 5201", "[[peer.person]] names 0 persons, not 2"),
        ("type = 2205", "type = 4711", "the catalogue has no type 4711"),
        ("agency_code =", "agency_kode =", "agency_kode"),
        ("[receipt.form]", "[receipt.form]\nwrong = 1", "wrong"),
        ("[register.officer]", "[register.official]", "officer is missing"),
        ('listen = "', 'listens = "', "listen is missing"),
        ("head-ed25519.key", "head-ed25519.yek", "head-ed25519.yek"),
        ('ed25519 = "file:', 'ed25519 = "pkcs11:', "a key is given as file:PATH"),
    ],
)
def test_what_is_wrong_in_the_file_is_told(
    town: Town,
    stated: str,
    instead: str,
    why: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    text = documented(town)
    assert stated in text
    file = written(town, text.replace(stated, instead, 1))

    assert main(["--config", str(file)]) == 2

    assert why in capsys.readouterr().err


def test_without_the_keys_of_the_log_nothing_is_judged(town: Town) -> None:
    text = documented(town)
    (heads,) = [line for line in text.splitlines() if line.startswith("heads = ")]

    with pytest.raises(ValueError, match="names no key"):
        read_target(written(town, text.replace(heads, "heads = []")))


@pytest.mark.parametrize("name", ["head-ed25519", "head-ml-dsa-44"])
def test_a_key_of_the_log_that_is_of_another_kind_is_told(
    town: Town, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    file = written(town, documented(town).replace(name, "institution-1"))

    assert main(["--config", str(file)]) == 2

    assert "peer.log: ed25519 or mldsa44" in capsys.readouterr().err


def test_a_check_that_is_not_there_is_told(
    town: Town, capsys: pytest.CaptureFixture[str]
) -> None:
    file = written(town, documented(town))

    assert main(["--config", str(file), "--only", "999"]) == 2

    assert "there is no check 999" in capsys.readouterr().err


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    assert main(["--config", str(tmp_path / "none.toml")]) == 2


def test_without_a_file_the_command_says_what_it_needs(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("COUNTERFOIL_CONFORMANCE_CONFIG", raising=False)

    with pytest.raises(SystemExit) as caught:
        main([])

    assert caught.value.code == 2
    assert "--config is needed" in capsys.readouterr().err


def test_no_two_runs_use_the_same_number(town: Town) -> None:
    target = read_target(written(town, documented(town)))

    numbers = [papers.number() for papers in (Papers(target), Papers(target))]
    more = Papers(target)
    numbers += [more.number() for _ in range(3)]

    assert len(set(numbers)) == len(numbers)
    assert numbers == sorted(numbers)


def test_a_fresh_voucher_has_its_number_wherever_the_form_wants_it(town: Town) -> None:
    voucher = Papers(read_target(written(town, documented(town)))).voucher()

    number = voucher.key.number
    assert voucher.form.text("voucher_no") == number
    assert voucher.form.rows[0]["id"] == f"{number}-1"
    assert voucher.form.fen("pay_amt_fen") == 12500
