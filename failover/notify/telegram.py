"""Telegram, by apprise's plugin for it alone: without the others it takes 13 MiB in place of 24."""

from __future__ import annotations

from typing import Any

from failover.notify import secrets
from failover.notify.apprise import Service
from failover.notify.message import Message, Unreachable
from failover.notify.spec import Telegram


class TelegramSink:
    """A bot that writes into one chat."""

    def __init__(self, settings: Telegram) -> None:
        self._service = Service(_bot(secrets.fetch(settings.token), settings))

    def send(self, message: Message) -> str:
        """Send a message into the chat."""
        return self._service.send(message)


def _bot(token: str, settings: Telegram) -> Any:
    from apprise.plugins.telegram import NotifyTelegram

    try:
        bot: Any = NotifyTelegram(  # type: ignore[no-untyped-call]
            bot_token=token, targets=[settings.chat], detect_owner=False
        )
    except TypeError:
        raise Unreachable("the token is no token of a Telegram bot; @BotFather gives one: 123456789:AbC…") from None
    if settings.api:
        bot.notify_url = f"{settings.api.rstrip('/')}/bot"
    return bot
