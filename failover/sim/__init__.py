"""Simulators for tests and the demo: a fake API, a simulated `claude`, and an audit of what really happened."""
