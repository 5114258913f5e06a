"""The demonstration day: four institutions, their gateways and their systems.

`counterfoil-demo` starts everything as processes on this machine, lets a day's
vouchers travel, kills a gateway in the middle, and at the end compares every
number of every side, in the vaults and in the systems' own books.

* `stage`: the institutions, their keys, certificates and configuration files.
* `material`: the day's vouchers, the broken and the special ones.
* `programs`: starting, hearing, killing and ending programs.
* `programme`: what happens in the day, in order.
* `figures`: what each side counts.
* `final_check`: whether all of it agrees; names what does not.
* `faults`: plants one fault, to show that the final check finds it.
* `demo`: the command.
"""
