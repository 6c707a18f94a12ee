"""Connections that are opened and then ask for nothing, or a letter a minute, are closed."""

import asyncio
from typing import Any, Final

_PATIENCE_SEC: Final = 10.0


def impatient(protocol: type[asyncio.Protocol]) -> type[asyncio.Protocol]:
    """One of Uvicorn's protocols, which waits for ever for the first lines of a request, made to wait 10 to 20 s."""
    base: Any = protocol

    class Impatient(base):
        _seen: Any = None
        _alarm: asyncio.TimerHandle | None = None

        def connection_made(self, transport: asyncio.Transport) -> None:
            super().connection_made(transport)
            self._set_alarm()

        def connection_lost(self, exc: Exception | None) -> None:
            if self._alarm is not None:
                self._alarm.cancel()
            super().connection_lost(exc)

        def _set_alarm(self) -> None:
            self._alarm = asyncio.get_running_loop().call_later(_PATIENCE_SEC, self._look)

        def _look(self) -> None:
            """Close where no request has come since the last look and none is being answered."""
            idle = self.cycle is None or self.cycle.response_complete
            if idle and self.cycle is self._seen:
                self.transport.close()
                return
            self._seen = self.cycle
            self._set_alarm()

    return Impatient
