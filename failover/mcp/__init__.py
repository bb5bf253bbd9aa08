"""The pool for agents, over the Model Context Protocol: a client of the control plane, and nothing else."""
