"""A reference business system of an agent bank (代理银行).

It reads the vouchers that arrive at its own gateway, checks and accepts or rejects
them, pays each at most once through a (simulated) core, and answers by receipts,
returns and entry notices. Its journal says before every call of the core that the
call is about to be made, so a crash never leads to a second payment. What it paid for
finance and units the treasury clears.

* `kinds`: the kinds of voucher that it works with, and who takes part.
* `lines`: what a payment voucher pays, row by row. Pure.
* `checks`: what a payment must fulfil before we accept it. Pure.
* `heads`: how every voucher that we issue begins. Pure.
* `forms`, `applications`, `refund_forms`, `refund_notices`, `statement_forms`: what we
  fill in. Pure.
* `core`: the core banking system, simulated: it may refuse, or not answer.
* `tables`, `journal`, `issued`: our own books, and where each payment stands.
* `accounts`, `quota`, `periods`: what the books say.
* `teller`: takes each payment from one state to the next.
* `counter`: at the counter, electronic voucher and paper have to meet.
* `clearing`: what was paid is applied for, cleared, or free again.
* `refunds`, `refund_issues`: money comes back, is confirmed, and given back.
* `settlements`: applications whose receipt differs, once people have agreed.
* `statements`: ours of a month. `answers`, `agency_statement`, `treasury_statement`,
  `daily_check`: those of others. `quota_notices`: the quota that finance tells us.
* `alerts`, `watch`: what is late, and who is told.
* `simulator`: payees' banks that give money back.
* `recompute`: the books against what stands in the vault.
* `system`: everything together, at the desk.
* `cli`, `commands`: the command `counterfoil-bank`.
"""
