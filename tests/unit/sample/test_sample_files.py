"""The generator and the codec are witnesses of each other."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from counterfoil.sample.__main__ import MANIFEST, main, samples
from counterfoil.sample.faults import FAULTS
from counterfoil.wire.national_errors import NationalXmlRefused
from counterfoil.wire.national_read import read_national
from counterfoil.wire.rules import check_form

BANKS = ["420000-102", "420000-103"]


def some(files: int, broken: int = 0, seed: int = 7) -> list[tuple[str, bytes, Any]]:
    return list(samples(files=files, broken=broken, seed=seed, year=2026, banks=BANKS))


def test_every_sound_file_is_what_the_manifest_says() -> None:
    found = []

    for _, body, line in some(200):
        [voucher] = read_national(body)
        check_form(voucher.form, gbk_only=True)
        form: Any = voucher.form
        assert voucher.voucher_no == line["number"]
        assert voucher.adm_div_code + "-" + form.pay_bank_code == line["bank"]
        assert (len(form.rows), form.pay_amt_fen) == (line["rows"], line["amount_fen"])
        found.append(voucher.voucher_no)

    assert found == sorted(set(found))


def test_every_bank_gets_files_and_a_few_have_many_rows() -> None:
    lines = [line for _, _, line in some(600)]

    assert {line["bank"] for line in lines} == set(BANKS)
    assert max(line["rows"] for line in lines) >= 100
    assert min(line["rows"] for line in lines) == 1


@pytest.mark.parametrize("index", range(len(FAULTS)), ids=[f.kind for f in FAULTS])
def test_each_fault_is_found_where_the_manifest_says_and_nowhere_else(
    index: int,
) -> None:
    _, body, line = some(0, broken=len(FAULTS))[index]

    with pytest.raises(Exception, match=r".") as refusal:
        check_form(read_national(body)[0].form)

    assert isinstance(refusal.value, NationalXmlRefused) == (line["where"] == "xml")
    violations: Any = getattr(refusal.value, "violations", [])
    assert [(each.path, each.rule) for each in violations] == [
        (line["path"], line["rule"])
    ]


def test_the_same_seed_gives_the_same_bytes_and_another_one_others() -> None:
    assert some(20, 12) == some(20, 12)
    assert some(20, 12) != some(20, 12, seed=8)


def test_the_program_writes_files_and_manifest(tmp_path: Path) -> None:
    out = tmp_path / "in"

    status = main(["--out", str(out), "--files", "5", "--broken", "2", "--seed", "3"])

    manifest = json.loads((out / MANIFEST).read_text(encoding="utf-8"))
    names = sorted(line["file"] for line in manifest["files"])
    assert status == 0
    assert names == sorted(file.name for file in out.glob("*.xml"))
    assert [line["fault"] for line in manifest["files"][5:]] == ["sum", "date"]
    assert (manifest["seed"], manifest["year"], manifest["banks"]) == (3, 2026, BANKS)


def test_a_bank_that_is_no_party_code_is_a_usage_error(tmp_path: Path) -> None:
    with pytest.raises(SystemExit) as stop:
        main(["--out", str(tmp_path), "--banks", "102"])

    assert stop.value.code == 2


def test_the_generator_does_not_load_the_codec() -> None:
    program = (
        "import sys, counterfoil.sample.__main__; "
        "sys.exit(any(name.startswith('counterfoil.wire') for name in sys.modules))"
    )

    run = subprocess.run(
        [sys.executable, "-c", program],
        check=False,
        env={"PYTHONPATH": ":".join(sys.path)},
    )

    assert run.returncode == 0
