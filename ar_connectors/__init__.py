"""ar_connectors: accounts-receivable connectors for QuickBooks Online, Xero and NetSuite."""
