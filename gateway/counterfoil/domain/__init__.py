"""The rules of the exchange: pure values and functions, no I/O and no clock."""
