"""Opens the databases that ledger and workbench stand on.

SQLite by default, PostgreSQL by URL. Nothing here knows a table.
"""
