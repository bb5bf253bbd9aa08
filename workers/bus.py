"""The bus role: keep the proxy running. It owns nothing in the store."""

from __future__ import annotations

from collections.abc import Sequence

from failover.bus.proxy import Proxy
from failover.events import Envelope
from failover.runtime import RECONCILE_EVERY, Host, run


class Bus:
    """Holds the proxy; ends when it does, so that supervisord starts both anew."""

    name = "bus"
    topics: tuple[str, ...] = ()

    def __init__(self, host: Host) -> None:
        self._proxy = Proxy(host.paths)

    def cycle(self, heard: Sequence[Envelope]) -> str:
        if not self._proxy.running:
            raise RuntimeError("the proxy's thread ended by itself")
        return "Forwarding envelopes"

    def wake_after(self) -> float:
        return RECONCILE_EVERY

    def descriptors(self) -> Sequence[int]:
        return ()

    def close(self) -> None:
        self._proxy.close()


def main() -> None:
    """Run the bus."""
    run("bus", Bus)


if __name__ == "__main__":
    main()
