"""A simulated `claude`: same command line, config dir, files, hooks, limits and menus, and a start that costs nothing.

    python -S -P failover/sim/claude.py --session-id UUID "first prompt"

It talks to the API at ANTHROPIC_BASE_URL (the fake one of failover.sim.api) with the made-up token of the config dir's
`.sim-token`; it never opens a `.credentials.json`. It knows nothing of the rest of this project, so that tests have an
independent witness.
"""

from __future__ import annotations

import sys
from pathlib import Path


def main() -> int:
    """Run the command line; return its exit code."""
    root = str(Path(__file__).resolve().parents[2])
    if root not in sys.path:
        sys.path.insert(0, root)
    from failover.sim.cli.options import Problem, parse

    try:
        options = parse(sys.argv[1:])
        if options.verb == "version":
            print(f"{options.version} (Claude Code)")
            return 0
        if options.verb != "interactive":
            from failover.sim.cli import commands

            return commands.run(options)
        from failover.sim.cli.app import App

        return App(options).run()
    except Problem as problem:
        print(problem, file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
