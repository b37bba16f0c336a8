"""QuickBooks Online: read, understand, write back. Every fact about its wire is in quirks.md, with its source."""
