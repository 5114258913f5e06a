"""A town as the conformance suite sees it: the file that says what is judged."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from counterfoil.office import Voucher, opened
from tests.houses import BANK, FINANCE, Town
from tests.integration.hand import Hand
from tests.integration.papers import Papers
from tools.tree import ROOT

PAGE: Final = ROOT / "docs" / "conformance.md"
UNAGREED: Final = "420000-101002"
_EXAMPLE: Final = re.compile(r"^```toml\n(.*?)^```", re.DOTALL | re.MULTILINE)


def documented(town: Town) -> str:
    """Return the page's example, by which the bank judges finance's gateway.

    The seals that a run files or uses up are new each time.
    """
    now = datetime.now(UTC).replace(microsecond=0)
    for name in ("2", "3", "4", "5"):
        town.ca.issue(BANK, "institution", name, now=now)
    found = _EXAMPLE.search(PAGE.read_text(encoding="utf-8"))
    assert found is not None, "the page has no example"
    text = found[1]
    for stated, real in (
        ('"gateway.example:7411"', f'"127.0.0.1:{town.ports[FINANCE]}"'),
        ("\nheads = []", f"\nheads = {json.dumps(town.heads(FINANCE))}"),
        ('"0.0.0.0:7411"', f'"127.0.0.1:{town.ports[BANK]}"'),
    ):
        assert text.count(stated) == 1
        text = text.replace(stated, real)
    if FINANCE in town.sm3:
        keys = json.dumps(town.sm3_heads(FINANCE))
        text = text.replace("# sm3_heads = []", f"sm3_heads = {keys}")
    return text


def with_a_stranger(town: Town) -> None:
    """Let finance keep a second unit, with which nobody agreed on anything."""
    lines = [
        "[[party]]",
        f'code = "{UNAGREED}"',
        'name = "湖北省第二单位"',
        'kind = "budget-unit"',
        f'carrier = "{FINANCE}"',
    ]
    with town.file(FINANCE).open("a", encoding="utf-8") as file:
        file.write("\n".join(lines) + "\n")


def reviewed(town: Town) -> str:
    """Return a file by which finance judges the bank's gateway: three seals each."""
    order = opened(Hand(town, FINANCE).seal_reviewed(Papers().direct_payment()))
    assert isinstance(order, Voucher)
    number = order.key.number
    rows = [
        line
        for row in order.form.rows
        for line in ("[[voucher.rows]]", *_form(row, number))
    ]
    return "\n".join(
        [
            "[gateway]",
            f'address = "localhost:{town.ports[BANK]}"',
            f'server_name = "{BANK}.gateway.counterfoil"',
            f'party = "{BANK}"',
            'authorities = "pki/authorities.pem"',
            f"heads = {json.dumps(town.heads(BANK))}",
            "[peer]",
            f'party = "{FINANCE}"',
            *_identity("[peer.gateway]", FINANCE, "gateway-1"),
            *_identity("[peer.institution]", FINANCE, "institution-1"),
            *_identity("[[peer.person]]", FINANCE, "person-first"),
            *_identity("[[peer.person]]", FINANCE, "person-second"),
            *_identity("[desk.system]", BANK, "system-1"),
            *_identity("[desk.reviewer]", BANK, "person-second"),
            "[voucher]",
            f"type = {order.key.type_code}",
            f'recipient = "{BANK}"',
            f'adm_div = "{order.key.adm_div}"',
            f"fiscal_year = {order.key.fiscal_year}",
            'varied = "pay_summary_name"',
            "[voucher.form]",
            *_form(order.form.fields, number),
            *rows,
        ]
    )


def written(town: Town, text: str) -> Path:
    """Write a file beside the town's certificates, and return where it is."""
    file = town.directory / "conformance.toml"
    file.write_text(text, encoding="utf-8")
    return file


def _identity(table: str, party: str, name: str) -> list[str]:
    stem = f"pki/{party}/{name}"
    return [
        table,
        f'certificate = "{stem}.pem"',
        f'key = "file:{stem}.key"',
        f'passphrase = "file:{stem}.pass"',
    ]


def _form(fields: Mapping[str, str | int], number: str) -> Iterator[str]:
    for name, one in fields.items():
        text = one.replace(number, "{number}") if isinstance(one, str) else one
        yield f"{name} = {json.dumps(text, ensure_ascii=False)}"
