"""Replaying demand against policies: the world is simulated, what decides in it is the code that decides for real."""
