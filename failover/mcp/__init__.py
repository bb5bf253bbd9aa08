"""The pool for agents, over the Model Context Protocol: a client of the control plane, and nothing else."""

#: What is missing where the extra is not installed.
INSTALL = "MCP needs a package that is not installed; get it with: pip install 'claude-failover[mcp]'"
