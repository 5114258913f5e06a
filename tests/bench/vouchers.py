"""Vouchers to carry: notices of about 1.2 KB, payments small and of 500 rows."""

from __future__ import annotations

from collections.abc import Iterator

from counterfoil.desk.v1 import desk_pb2
from counterfoil.form.v1 import notice_pb2, payment_pb2
from counterfoil.sealed.v1 import voucher_pb2
from tests.houses import BANK, FINANCE, UNIT

_REMARK = "办公用品及教学设备采购款项支付说明" * 6


def _voucher(
    issuer: str, recipient: str, type_code: int, number: str
) -> voucher_pb2.Voucher:
    return voucher_pb2.Voucher(
        key=voucher_pb2.VoucherKey(
            issuer=issuer,
            adm_div="420000",
            fiscal_year=2026,
            type=type_code,  # type: ignore[arg-type]
            number=number,
            issue=1,
        ),
        recipients=[recipient],
    )


def notices(first: int, count: int) -> Iterator[desk_pb2.Draft]:
    """Yield entry notices (2205) of a bank for the unit: no personal seals."""
    for index in range(first, first + count):
        number = f"N{index:09}"
        voucher = _voucher(BANK, UNIT, 2205, number)
        voucher.entry_notice.CopyFrom(
            notice_pb2.EntryNotice(
                id=f"main-{index}",
                adm_div_code="420000",
                st_year="2026",
                vt_code="2205",
                vou_date="20260301",
                voucher_no=number,
                agency_code="101001",
                agency_name="湖北省教育厅机关服务中心",
                ori_vt_code="5201",
                ori_voucher_no=f"V{index:09}",
                pay_amt_fen=1_234_500,
                x_pay_date="20260301",
                x_agent_business_no=f"B{index:012}",
                rows=[
                    notice_pb2.EntryNoticeRow(
                        id=f"{index}-{row}",
                        voucher_bill_id=f"main-{index}",
                        voucher_bill_no=number,
                        voucher_no=f"A{index:09}",
                        fund_type_code="1",
                        fund_type_name="预算管理资金",
                        agency_code="101001",
                        agency_name="湖北省教育厅机关服务中心",
                        exp_func_code="2050202",
                        exp_func_name="小学教育",
                        payee_acct_no="62220000123456789",
                        payee_acct_name="武汉市楚天教学设备有限责任公司",
                        payee_acct_bank_name="中国工商银行武汉分行",
                        pay_amt_fen=amount,
                        remark=_REMARK[:96],
                        x_pay_date="20260301",
                        x_pay_amt_fen=amount,
                    )
                    for row, amount in enumerate((1_000_000, 234_500))
                ],
            )
        )
        yield desk_pb2.Draft(voucher=voucher)


def payments(
    first: int, count: int, rows: int, prefix: str = "P"
) -> Iterator[desk_pb2.Draft]:
    """Yield direct payments (5201) of finance to the bank, with `rows` rows."""
    for index in range(first, first + count):
        number = f"{prefix}{index:09}"
        voucher = _voucher(FINANCE, BANK, 5201, number)
        voucher.direct_payment.CopyFrom(_payment(index, number, rows))
        yield desk_pb2.Draft(voucher=voucher)


def _payment(index: int, number: str, rows: int) -> payment_pb2.DirectPayment:
    return payment_pb2.DirectPayment(
        id=f"main-{index}",
        adm_div_code="420000",
        st_year="2026",
        vt_code="5201",
        vou_date="20260301",
        voucher_no=number,
        fund_type_code="1",
        fund_type_name="预算管理资金",
        pay_type_code="11",
        pay_type_name="直接支付",
        agency_code="101001",
        agency_name="湖北省教育厅机关服务中心",
        pay_bank_code="102",
        pay_bank_name="中国工商银行",
        pay_acct_no="420000000000001",
        pay_acct_name="湖北省财政厅零余额账户",
        pay_acct_bank_name="中国工商银行武汉分行",
        pay_amt_fen=10_000 * rows,
        business_type_code="1",
        business_type_name="单笔",
        rows=[
            payment_pb2.DirectPaymentRow(
                id=f"{index}-{row}",
                voucher_bill_id=f"main-{index}",
                voucher_bill_no=number,
                voucher_no=f"A{index:09}",
                fund_type_code="1",
                fund_type_name="预算管理资金",
                agency_code="101001",
                agency_name="湖北省教育厅机关服务中心",
                exp_func_code="2050202",
                exp_func_name="小学教育",
                payee_acct_no="62220000123456789",
                payee_acct_name="武汉市楚天教学设备有限责任公司",
                payee_acct_bank_name="中国工商银行武汉分行",
                pay_amt_fen=10_000,
            )
            for row in range(rows)
        ],
    )
