"""Checks of what documents say: nothing unknown, nothing wrong, nothing out of turn."""

from __future__ import annotations

from dataclasses import replace
from hashlib import sha256
from typing import Final

from counterfoil.conformance import forgeries
from counterfoil.conformance.bench import Bench
from counterfoil.conformance.checks import Check, check
from counterfoil.conformance.refusals import require_refused
from counterfoil.conformance.verdicts import NotApplicable, require
from counterfoil.office import Reference

_DELIVER: Final = "exchange.v1.ExchangeService.Deliver"
_SEALED: Final = "sealed.v1.Sealed"
_MALFORMED: Final = "MALFORMED_PAYLOAD"


@check(
    501,
    "Bytes that are no document are refused.",
    "不是文书的字节被拒绝。",
    clause="hubei-15a",
    contract=_SEALED,
)
async def _takes_no_bytes(bench: Bench) -> None:
    answer = await bench.deliver([b"no document at all"])
    require_refused(answer.outcomes[0], _MALFORMED)


@check(
    502,
    "A field that the contract does not know is refused, outside and in the payload.",
    "契约所不认识的字段被拒绝，无论在外层还是在原文中。",
    clause="hubei-15a",
    contract=_SEALED,
)
async def _takes_no_unknown_field(bench: Bench) -> None:
    papers = bench.papers
    outside, inside = papers.papers(2)
    payload = forgeries.with_unknown_field(inside.payload)
    answer = await bench.deliver(
        [
            forgeries.with_unknown_field(outside.sealed),
            papers.sealed_payload(inside.voucher.key, payload),
        ]
    )
    for outcome in answer.outcomes:
        require_refused(outcome, _MALFORMED)


@check(
    503,
    "A field that comes twice is refused.",
    "重复出现的字段被拒绝。",
    clause="hubei-15a",
    contract=_SEALED,
)
async def _takes_no_field_twice(bench: Bench) -> None:
    answer = await bench.deliver([forgeries.with_kind_twice(bench.papers.paper())])
    require_refused(answer.outcomes[0], _MALFORMED)


@check(
    504,
    "A form that breaks a rule is refused, and the refusal names the field.",
    "违反规则的表单被拒绝，并指明字段。",
    clause="hubei-15a",
    contract="sealed.v1.FieldViolation",
)
async def _names_the_field(bench: Bench) -> None:
    wrong = bench.papers.voucher(st_year="no year")
    answer = await bench.deliver([bench.papers.sealed(wrong)])
    refused = require_refused(answer.outcomes[0], "FORM_REFUSED")
    named = [one for one in refused.violations if one.field == "st_year"]
    fields = [one.field for one in refused.violations]
    require(named, f"the violations name {fields}, not st_year")
    require(all(one.rule for one in named), "a violation names no rule")
    require(all(one.text_zh for one in named), "a violation has no Chinese text")


@check(
    505,
    "A number carries one content for ever: other content under it is refused.",
    "一个凭证号永远只对应一份内容：另有内容即被拒绝。",
    clause="hubei-33",
    contract="sealed.v1.VoucherKey",
)
async def _keeps_numbers(bench: Bench) -> None:
    voucher = bench.papers.voucher()
    varied = bench.target.voucher.varied
    fields = {**voucher.form.fields, varied: f"{voucher.form.fields[varied]}二"}
    other = replace(voucher, form=replace(voucher.form, fields=fields))
    await bench.take([bench.papers.sealed(voucher)])
    answer = await bench.deliver([bench.papers.sealed(other)])
    require_refused(answer.outcomes[0], "VOUCHER_KEY_REUSED")


@check(
    506,
    "A voucher goes only where the catalogue lets its kind go.",
    "凭证只能发往目录允许该类凭证去的地方。",
    clause="hubei-15a",
    contract="catalogue.v1.VoucherRow.directions",
    needs="voucher.misdirected",
)
async def _keeps_directions(bench: Bench) -> None:
    to = bench.target.voucher.misdirected
    if not to:
        raise NotApplicable("voucher.misdirected names no party")
    voucher = replace(bench.papers.voucher(), recipients=(to,))
    answer = await bench.deliver([bench.papers.sealed(voucher)])
    require_refused(answer.outcomes[0], "DIRECTION_REFUSED")


@check(
    507,
    "A voucher to nobody who is kept here is refused.",
    "接收方都不在此处的凭证被拒绝。",
    clause="hubei-9",
    contract=_DELIVER,
)
async def _takes_nothing_for_others(bench: Bench) -> None:
    voucher = replace(bench.papers.voucher(), recipients=(bench.target.peer,))
    answer = await bench.deliver([bench.papers.sealed(voucher)])
    require_refused(answer.outcomes[0], "NOT_A_RECIPIENT")


@check(
    508,
    "Nobody issues vouchers of another party.",
    "任何人不得签发他方的凭证。",
    clause="hubei-9",
    contract=_DELIVER,
)
async def _knows_the_issuer(bench: Bench) -> None:
    voucher = bench.papers.voucher()
    key = replace(voucher.key, issuer=bench.target.party)
    answer = await bench.deliver([bench.papers.sealed(replace(voucher, key=key))])
    require_refused(answer.outcomes[0], "SEAL_FORGED", "NOT_THE_ISSUER")


@check(
    509,
    "An issue that does not follow the one before it is refused.",
    "不接续前一次的重开序号被拒绝。",
    clause="hubei-33",
    contract="sealed.v1.Voucher.replaces",
)
async def _keeps_issues_in_order(bench: Bench) -> None:
    first = bench.papers.voucher()
    paper = bench.papers.sealed(first)
    await bench.take([paper])
    key = replace(first.key, issue=2)
    # The first is in force: nobody rejected, returned or discarded it.
    second = replace(first, key=key, replaces=sha256(paper.payload).digest())
    answer = await bench.deliver([bench.papers.sealed(second)])
    require_refused(answer.outcomes[0], "ISSUE_OUT_OF_ORDER")


@check(
    510,
    "An acceptance of a voucher that the gateway does not hold is refused.",
    "对本网关没有的凭证签收，被拒绝。",
    clause="hubei-19b",
    contract="sealed.v1.Step",
)
async def _takes_no_step_on_nothing(bench: Bench) -> None:
    content = bench.target.receipt or bench.target.voucher.content
    unknown = bench.papers.foreign(content.type_code)
    answer = await bench.deliver([bench.papers.acceptance(unknown)])
    require_refused(answer.outcomes[0], "REFERENCE_MISSING")


@check(
    511,
    "A receipt of a voucher that the gateway does not hold is refused.",
    "对本网关没有的凭证出具回单，被拒绝。",
    clause="hubei-20",
    contract="sealed.v1.Receipt",
    needs="receipt",
)
async def _takes_no_receipt_of_nothing(bench: Bench) -> None:
    content = bench.target.receipt
    if content is None:
        raise NotApplicable("the file has no receipt")
    unknown: Reference = bench.papers.foreign(content.type_code)
    answer = await bench.deliver([bench.papers.receipt(content, unknown)])
    require_refused(answer.outcomes[0], "REFERENCE_MISSING")


CHECKS: Final[tuple[Check, ...]] = (
    _takes_no_bytes,
    _takes_no_unknown_field,
    _takes_no_field_twice,
    _names_the_field,
    _keeps_numbers,
    _keeps_directions,
    _takes_nothing_for_others,
    _knows_the_issuer,
    _keeps_issues_in_order,
    _takes_no_step_on_nothing,
    _takes_no_receipt_of_nothing,
)
