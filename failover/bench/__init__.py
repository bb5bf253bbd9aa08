"""The benchmark suite: each budget of the design, measured against a limit that was taken in the same run."""
