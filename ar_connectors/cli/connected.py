"""What do all ways to connect a company share? The key for what is kept, and the word at the end."""

from __future__ import annotations

from ar_connectors import api
from ar_connectors.cli.exits import Exit
from ar_connectors.cli.shell import KEY_VARIABLE, Shell
from ar_connectors.errors import ConfigurationError

__all__ = ["done", "need_key"]


def need_key(shell: Shell) -> None:
    """Raises ConfigurationError, with a fresh key in its advice, when there is none to encrypt with."""
    if shell.key is None:
        from ar_connectors.auth.vault import new_key

        raise ConfigurationError(
            "tokens are kept encrypted, and there is no key yet",
            advice=f"keep one safe and set it: export {KEY_VARIABLE}={new_key()}",
        )


def done(shell: Shell, conn: api.Connection) -> Exit | None:
    """Say what was connected, and what comes next."""
    data = {"connection": conn.id, "store": shell.store_url}
    shell.emit(data, lambda: shell.out.print(f"connected: {conn.id}; next: ar-connectors sync"))
    return None
