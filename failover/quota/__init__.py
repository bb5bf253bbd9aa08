"""The hands of the quota-monitor."""
