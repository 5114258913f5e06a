"""Where every voucher stands, for queries (台账): follows the log, decides nothing.

It can be dropped and built again from the vault at any time, so it is tuned for
speed, and nothing that decides may read it.
"""
