"""Tokens: kept encrypted, refreshed once for everybody, asked for in a browser."""
