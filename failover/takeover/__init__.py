"""Taking over a host: what runs there already, and the configuration that fits it."""
