"""A reference business system of a budget unit (预算单位).

It asks to be paid, applying to finance for direct payments and ordering authorised
ones at its bank, never beyond its allotments (用款计划); it books what the bank tells
of payments and refunds, each once; and it answers what the bank matched and stated.

* `kinds`: the kinds of voucher, and who takes part; `settings`: as configured.
* `tables`: allotments, requests, postings, and what was answered.
* `allotments`: plans of allotments, from finance's file.
* `accounts`: what is left of an allotment, what was paid for a request.
* `wishes`: what somebody wants to be paid.
* `requests`: asking, withdrawing, asking again under the same number.
* `forms`: the vouchers that we fill in; `answers`: what we answer.
* `paper`: what the paper of a payment at the counter says.
* `checks`: what a voucher must fulfil before we accept it. Pure.
* `notices`: what notices of payments and refunds change in the books.
* `matches`: whether a refund that the bank matched is ours.
* `statements`: a statement against our ledger, row by row. Pure.
* `ledger`: the statements that came, and what we found in them.
* `works`: what we do about each kind.
* `alerts`: what is late, or a person has to look at.
* `figures`: what the books say in short.
* `invented`: invented allotments and wishes. Pure.
* `simulator`: enters them, some in every turn.
* `commands`: what the commands do.
* `cli`: the command `counterfoil-unit`.
"""
