"""The command line: `ar-connectors`. A thin shell over the public API; every verb takes `--json`.

This is the one place that reads the environment and the machine's clock. Exit codes are in `ar_connectors.cli.exits`.
"""
