"""A reference business system of the treasury (人民银行国库).

It reads the vouchers that arrive at its own gateway, checks and accepts or rejects
them, acts on each at most once in its own books, and answers by receipts and
returns. The single account and the clearing quota (额度) are kept here, not in the
gateway: they follow from vouchers alone and can be computed again from the vault.

* `kinds`: the kinds of voucher that it acts on.
* `entries`: what a voucher changes in the books. Pure.
* `quota`: whether clearing stays within its quota. Pure.
* `clearing`: a clearing order against its application. Pure.
* `lists`: a list against the receipts of its day. Pure.
* `checks`: what a voucher must fulfil before we accept it. Pure.
* `books`: the tables: postings, changes of quota, and where each voucher stands.
* `accounts`: what the books say: balances, quotas, and who is whose partner.
* `acts`: what acting on a voucher changes in the books, or why it cannot be done.
* `clerk`: takes each voucher from one state to the next.
* `forms`: the receipts that we fill in.
* `reports`: the daily reports (日报) from our books.
* `recompute`: the books against what stands in the vault.
* `cli`: the command `counterfoil-treasury`.
"""
