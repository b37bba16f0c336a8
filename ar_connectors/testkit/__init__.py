"""Loopback emulators of the three ERPs, a shared ledger behind them, and pytest fixtures that serve them."""
