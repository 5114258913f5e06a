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
* `forms`: receipts and entry notices. Pure.
* `applications`: applications for clearing and their details. Pure.
* `core`: the core banking system, simulated: it may refuse, or not answer.
* `tables`, `journal`: our own books, and where each payment stands.
* `accounts`: what the books say: totals, and what the payers' accounts hold.
* `teller`: takes each payment from one state to the next.
* `clearing`: what was paid is applied for, cleared, or free again.
* `system`: everything together, at the desk.
* `cli`: the command `counterfoil-bank`.
"""
