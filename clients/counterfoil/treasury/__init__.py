"""A reference business system of the treasury (人民银行国库).

It reads the vouchers that arrive at its own gateway, checks and accepts or rejects
them, acts on each at most once in its own books, answers by receipts and returns, and
reports its days to finance. The single account and the clearing quota (额度) are kept
here, not in the gateway: they follow from vouchers and reports, and can be computed
again from the vault.

* `kinds`: the kinds of voucher that it takes and issues.
* `subjects`: names of the budget's levels and subjects.
* `entries`: what a voucher changes in the books. Pure.
* `quota`: whether clearing stays within its quota. Pure.
* `clearing`: a clearing order against its application. Pure.
* `lists`: a list against the receipts of its day. Pure.
* `checks`: what a voucher must fulfil before we accept it. Pure.
* `books`: the tables: postings, income, changes of quota, where each voucher stands.
* `accounts`: what the books say: balances, quotas, and who is whose partner.
* `closing`: a day that was reported is closed.
* `alerts`: what a person is to be told of.
* `incomes`: income of the single account, entered or invented.
* `corrections`: income that was entered wrongly, taken back and entered rightly.
* `acts`: what acting on a voucher changes in the books, or why it cannot be done.
* `clerk`: takes each voucher from one state to the next.
* `forms`: the receipts that we fill in.
* `totals`, `periods`: what came in and was spent, of a day, a month, a year.
* `reports`: the daily reports (日报) from our books.
* `statements`: the statements of a month (月报、对账单).
* `quota_figures`, `quota_statements`: a bank's statement of quota against our books.
* `daily_checks`: vouchers of a day against each partner's view (凭证对账).
* `details`: the detail of an application against the application.
* `issuing`: what we issue, once for each period.
* `answers`: the answers to what we state.
* `settlements`: receipts of ours that differ, once people have agreed what holds.
* `overdue`: what is late, and who tells it.
* `system`: all of it at our desk.
* `recompute`: the books against what stands in the vault.
* `commands`, `cli`: the command `counterfoil-treasury`.
"""
