"""The vouchers that a form names: which fields do, and what is said with them.

The catalogue names them by their elements; here they are fields, found once for each
form. Whether what is named is there, and stands as it must, is the vault's to judge.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache

from counterfoil.domain.catalogue import Answer, TypeRow
from counterfoil.domain.naming import Naming, Reference, ReferenceTimes
from counterfoil.domain.rules import payment
from counterfoil.domain.violation import Violation
from counterfoil.domain.voucher import is_number
from counterfoil.wire.catalogue import CATALOGUE
from counterfoil.wire.figures import figures_of
from counterfoil.wire.national_plan import PLANS, AnyForm, rows_of


@dataclass(frozen=True, slots=True, kw_only=True)
class _Place:
    """Fields of one level of a form that name vouchers.

    Attributes:
        reference: What the catalogue says of it.
        number: The field that states the number.
        type: The field that states the kind; empty where it is not stated.
        amount: The field that states the amount.
        types: Kinds by their codes on the wire.
        lapses: Whether an answer can deny the name.
    """

    reference: Reference
    number: str
    type: str
    amount: str
    types: Mapping[str, int]
    lapses: bool

    def levels(self, form: AnyForm) -> list[tuple[str, AnyForm]]:
        """Return the rows, or the main row, that name one; each with its path."""
        if not self.reference.in_rows:
            return [("", form)]
        return [(f"rows[{at}].", row) for at, row in enumerate(rows_of(form))]

    def kinds_of(self, level: AnyForm) -> tuple[int, ...]:
        """Return the kinds of which the named voucher may be; none: it may not."""
        if not self.type:
            return tuple(self.types.values())
        stated = self.types.get(getattr(level, self.type))
        return () if stated is None else (stated,)

    def naming(self, path: str, level: AnyForm) -> Naming:
        """Return what one level says."""
        return Naming(
            types=self.kinds_of(level),
            number=getattr(level, self.number),
            amount_fen=getattr(level, self.amount),
            path=path + self.number,
            need=self.reference.need,
            measure=self.reference.measure,
            once=self.reference.times is ReferenceTimes.ONCE,
            lapses=self.lapses,
        )


@cache
def _places(full_name: str) -> tuple[_Place, ...]:
    """Return where a form names vouchers; a receipt's never does."""
    types = PLANS[full_name]
    if full_name == types.row.receipt_form:
        return ()
    return tuple(_place(types.row, each) for each in types.row.references)


def _place(row: TypeRow, reference: Reference) -> _Place:
    plan, figures = PLANS[row.form].form, figures_of(row.form)
    level = plan.rows if reference.in_rows else plan.main
    stated = reference.type_element
    return _Place(
        reference=reference,
        number=level.names[reference.number_element],
        type=level.names[stated] if stated else "",
        amount=figures.each if reference.in_rows else figures.main,
        types={code: CATALOGUE.row_on_wire(code).code for code in reference.kinds},
        lapses=row.answer is Answer.STATEMENT_ANSWER,
    )


def namings_of(form: AnyForm, row: TypeRow) -> tuple[Naming, ...]:
    """Return the vouchers that a sound voucher's form names, each once.

    Where several rows name one, their amounts are added up.
    """
    if not row.references:
        return ()
    found: dict[tuple[int, tuple[int, ...], str], Naming] = {}
    for at, place in enumerate(_places(row.form)):
        for path, level in place.levels(form):
            one = place.naming(path, level)
            key = at, one.types, one.number
            before = found.get(key)
            if before is not None:
                together = before.amount_fen + one.amount_fen
                one = replace(before, amount_fen=together)
            found[key] = one
    return tuple(found.values())


def broken_names(form: AnyForm) -> Iterator[Violation]:
    """Yield names that no voucher has or that may not be named, or come twice."""
    for place in _places(form.DESCRIPTOR.full_name):
        levels = place.levels(form)
        for path, level in levels:
            if not place.kinds_of(level):
                yield Violation(
                    path=path + place.type,
                    rule="reference.kind",
                    text="vouchers of this kind are not named here",
                    text_zh="此处不得引用该类型的凭证",
                )
            if not is_number(getattr(level, place.number)):
                yield Violation(
                    path=path + place.number,
                    rule="reference.number",
                    text="no voucher can have such a number",
                    text_zh="不是凭证号",
                )
        if place.reference.times is ReferenceTimes.ANY:
            continue
        names = [(place.kinds_of(one), getattr(one, place.number)) for _, one in levels]
        for index in payment.repeated(names):
            yield Violation(
                path=levels[index][0] + place.number,
                rule="reference.repeated",
                text="a row before names the same voucher",
                text_zh="与此前明细引用同一凭证",
            )
