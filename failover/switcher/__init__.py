"""The hands of the account-switcher: it alone starts and stops the binary. What to do is decided in failover/core."""
