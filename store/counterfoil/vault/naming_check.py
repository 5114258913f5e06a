"""Proves the index of who names whom against the documents that it was made from."""

from __future__ import annotations

from counterfoil.domain.document import Document
from counterfoil.domain.refusals import VaultCorrupt
from counterfoil.vault.engine import Reading
from counterfoil.vault.findings import Fault, Report
from counterfoil.vault.records import reference_key, split_reference_key
from counterfoil.vault.referring import counted_names


class NamingCheck:
    """Collects what documents name, and compares it with the index.

    What could not be read again, nothing is said of: that is a finding of its own, or
    nobody judged documents.

    Args:
        report: Where findings go.
    """

    def __init__(self, report: Report) -> None:
        self._report = report
        self._told: dict[bytes, int] = {}
        self._read: set[int] = set()

    def take(self, opened: int, voucher: Document) -> None:
        """Take in what the voucher that `opened` opened states."""
        self._read.add(opened)
        for name, amount_fen in counted_names(voucher):
            self._told[reference_key(name, opened)] = amount_fen

    def compare(self, reading: Reading) -> None:
        """Compare the index with what was taken in."""
        missing = dict(self._told)
        for key, amount_fen in reading.all_references():
            _, opened = split_reference_key(key)
            told = missing.pop(key, None)
            if isinstance(amount_fen, VaultCorrupt):
                self._note(Fault.REFERENCE_CHANGED, opened, "check sum")
            elif told is None and (opened in self._read or opened >= reading.size()):
                self._note(Fault.REFERENCE_STRAY, opened)
            elif told is not None and told != amount_fen:
                self._note(Fault.REFERENCE_CHANGED, opened, "amount")
        for key in missing:
            self._note(Fault.REFERENCE_MISSING, split_reference_key(key)[1])

    def _note(self, fault: Fault, opened: int, detail: str = "") -> None:
        self._report.add(fault, index=opened, detail=detail)
