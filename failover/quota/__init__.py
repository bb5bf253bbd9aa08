"""Where the quota-monitor's knowledge comes from, one source a module."""
