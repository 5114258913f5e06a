"""A reference business system of a finance department, or of a budget unit.

A finance department takes what units, banks and the treasury send it, orders payments
and clearing within the allotments (用款计划) of its budget, compares every receipt with
what was ordered, and keeps the ledger of the general budget (总预算会计). Beside that
it issues a folder of national XML files; a budget unit that it hosts does only this,
at its own desk.

The business:

* `kinds`: the kinds of voucher, and who takes part.
* `tables`: what is written down beside inbox and outbox.
* `entries`: what a voucher changes in the ledger. Pure.
* `accounts`: the ledger and the register of receipts.
* `claims`: which payments banks have applied for.
* `allotments`, `plans`, `budget`: what units may spend, and how that is entered.
* `quotas`: what of it the treasury is told.
* `orders`: appropriations, and payments out of the special account.
* `checks`: what a unit's application must fulfil. Pure.
* `clearing`: a bank's application against our own orders. Pure.
* `matching`, `refunds`: money that came back to a bank.
* `lists`: the lists (清单) of a day.
* `reports`, `daily_check`, `replies`, `verdicts`: the treasury's reports, checks and
  statements, compared and answered.
* `statements`: what we state to banks for a month.
* `forms`: the vouchers that we make.
* `works`, `clearing_works`, `issues`: what is done about each kind that comes, and that
  we issue.
* `remedies`: what is done about errors in what we issued.
* `settlements`: receipts that do not agree, once people have agreed what holds.
* `alerts`, `overdue`: what a person has to look at, and what is late.
* `figures`, `recompute`: the books in short, and against the vault.
* `system`: all of it at one desk.
* `simulator`: invented allotments and orders.

The folder of national files:

* `files`: what our own files say.
* `books`: their orders, and the database of all of it.
* `flows`, `answers`: their way out, and what comes back.

The program:

* `cli`, `run`, `commands`: the command `counterfoil-finance`.
"""
