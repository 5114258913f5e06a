"""Drafts and reviews (工作台): process data, which never enters the vault.

A review is the reviewer's seal and nothing else; there is no table of reviews.
"""
