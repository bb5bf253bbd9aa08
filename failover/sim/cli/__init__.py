"""The simulated `claude`: command line, hooks, files and signals as measured on the real one, in small modules."""
