"""`python -m counterfoil.sample`: write sample files and what is expected of them."""

from __future__ import annotations

import argparse
import json
import os
import re
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from random import Random
from typing import Any, Final

from counterfoil.sample.documents import file_of
from counterfoil.sample.faults import FAULTS, ROWS_MIN
from counterfoil.sample.vouchers import Voucher, VoucherMaker

MANIFEST: Final = "MANIFEST.json"

_BANK: Final = re.compile(r"[0-9]{6,9}-[0-9]{3}", re.ASCII)


def samples(
    *, files: int, broken: int, seed: int, year: int, banks: list[str]
) -> Iterator[tuple[str, bytes, dict[str, Any]]]:
    """Yield each file's name, bytes and line of the manifest.

    Broken files come last, the kinds in turn. The same arguments give the same
    bytes.
    """
    # Nothing here is a secret; the seed is there to be repeated.
    maker = VoucherMaker(Random(seed), year=year, banks=banks)  # noqa: S311
    for _ in range(files):
        voucher = maker.make()
        yield _name(voucher), file_of(voucher), _line(voucher)
    for number in range(broken):
        fault = FAULTS[number % len(FAULTS)]
        voucher = maker.make(rows_min=ROWS_MIN)
        name = _name(voucher)
        yield (
            name,
            fault.apply(voucher),
            {
                "file": name,
                "bank": voucher.bank,
                "fault": fault.kind,
                "where": fault.where,
                "path": fault.path,
                "rule": fault.rule,
            },
        )


def _name(voucher: Voucher) -> str:
    return f"5201-{voucher.bank}-{voucher.number}.xml"


def _line(voucher: Voucher) -> dict[str, Any]:
    return {
        "file": _name(voucher),
        "bank": voucher.bank,
        "number": voucher.number,
        "rows": len(voucher.rows),
        "amount_fen": int(voucher.main["PayAmt"].replace(".", "")),
    }


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the program; return its exit status."""
    options = vars(_parser().parse_args(arguments))
    out: Path = options.pop("out")
    out.mkdir(parents=True, exist_ok=True)
    lines = []
    for name, body, line in samples(**options):
        (out / name).write_bytes(body)
        lines.append(line)
    said = {key: options[key] for key in ("seed", "year", "banks")}
    text = json.dumps({**said, "files": lines}, ensure_ascii=False, indent=1)
    (out / MANIFEST).write_text(text + "\n", encoding="utf-8")
    sys.stderr.write(f"{len(lines)} files and {MANIFEST} in {out}\n")
    return 0


def _banks(text: str) -> list[str]:
    banks = text.split(",")
    for bank in banks:
        if _BANK.fullmatch(bank) is None:
            msg = f"not a bank's party code such as 420000-102: {bank!r}"
            raise argparse.ArgumentTypeError(msg)
    return banks


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m counterfoil.sample",
        description="Write seeded sample files of direct payment vouchers (5201).",
    )
    for name, kind, default, what in (
        ("out", Path, None, "folder to write into"),
        ("files", int, "100", "number of sound files"),
        ("broken", int, "0", "number of broken files, the kinds in turn"),
        ("seed", int, "1", "the same seed gives the same bytes"),
        ("year", int, "2026", "fiscal year"),
        ("banks", _banks, "420000-102,420000-103", "party codes, by commas"),
    ):
        value = os.environ.get(f"COUNTERFOIL_SAMPLE_{name.upper()}", default)
        parser.add_argument(
            f"--{name}", type=kind, default=value, required=value is None, help=what
        )
    return parser


if __name__ == "__main__":
    sys.exit(main())
