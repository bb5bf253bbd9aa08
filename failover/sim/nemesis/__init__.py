"""Everything that can go wrong, at random moments that follow from a seed, and what it broke (docs/nemesis.md)."""
