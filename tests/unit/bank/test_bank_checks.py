from __future__ import annotations

import pytest

from counterfoil.bank.checks import objections
from counterfoil.bank.journal import Namesake, State
from tests.unit.bank.recipient_desk import voucher


def test_a_sound_voucher_has_no_objection() -> None:
    assert list(objections(voucher("A1"), [])) == []


@pytest.mark.parametrize(
    "account", ["", "12345", "6222-0000账号", "-62220000", "A" * 33]
)
def test_an_account_that_is_none_is_objected_to(account: str) -> None:
    assert list(objections(voucher("A1", account=account), [])) == [
        "第1行收款人账号不合规"
    ]


@pytest.mark.parametrize("account", ["123456", "A" * 32, "62-22-00"])
def test_an_account_may_have_six_to_32_characters(account: str) -> None:
    assert list(objections(voucher("A1", account=account), [])) == []


def test_an_amount_that_is_not_the_sum_is_objected_to() -> None:
    assert list(objections(voucher("A1", total=351), [])) == ["支付金额与明细合计不符"]


@pytest.mark.parametrize("state", sorted(set(State)))
def test_a_number_may_come_again_only_after_it_was_given_back(state: State) -> None:
    other = Namesake(b"", state)

    found = list(objections(voucher("A1", issue=2), [other]))

    given_back = state in {State.REJECTED, State.RETURNED, State.VOID}
    assert found == ([] if given_back else ["凭证号重复"])
