"""HTTP with patience: timeouts, retries where they are safe, budgets, counters, and no secret in any log."""
