"""Xero: the Accounting API 2.0."""
