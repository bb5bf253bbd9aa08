"""All that is known of Claude Code, each fact in one place. Measured on version 2.1.330 where nothing else is said."""
