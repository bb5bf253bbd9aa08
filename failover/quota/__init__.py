"""The hands of the quota-monitor: where readings come from, and what is decided on them."""
