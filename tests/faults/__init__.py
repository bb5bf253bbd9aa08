"""Each fault that the system is built to survive has its named test here."""
