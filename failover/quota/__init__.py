"""Where readings come from: what sessions push, what the binary and the operator's own command answer."""
