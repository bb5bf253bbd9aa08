"""What is wrong on this host, found by looking, each with its mend."""
