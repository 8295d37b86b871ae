"""The channel that sends alerts by e-mail."""

from __future__ import annotations

import smtplib
import ssl
from email.message import EmailMessage

import msgspec

from headgate.config.alerts import EmailSettings
from headgate.ledger.alerts.alert import AnyAlert, DeliveryError

_TIMEOUT_S = 15.0


class MailChannel:
    """Sends by one mail server."""

    def __init__(self, name: str, settings: EmailSettings) -> None:
        self.name = f"email:{name}"
        self._settings = settings

    def deliver(self, alert: AnyAlert) -> None:
        """See `Channel`."""
        try:
            with self._connected() as server:
                if self._settings.username is not None:
                    server.login(self._settings.username, self._settings.password or "")
                server.send_message(self._message(alert))
        except (smtplib.SMTPException, OSError) as error:
            raise DeliveryError(f"the mail server failed ({type(error).__name__})") from None

    def _connected(self) -> smtplib.SMTP:
        settings = self._settings
        if settings.security == "tls":
            context = ssl.create_default_context()
            return smtplib.SMTP_SSL(
                settings.host, settings.port, timeout=_TIMEOUT_S, context=context
            )
        server = smtplib.SMTP(settings.host, settings.port, timeout=_TIMEOUT_S)
        if settings.security == "starttls":
            try:
                server.starttls(context=ssl.create_default_context())
            except BaseException:
                server.close()
                raise
        return server

    def _message(self, alert: AnyAlert) -> EmailMessage:
        message = EmailMessage()
        message["From"] = self._settings.sender
        message["To"] = ", ".join(self._settings.recipients)
        message["Subject"] = alert.title
        message["Message-ID"] = f"<{alert.id}@headgate>"
        details = msgspec.json.format(msgspec.json.encode(alert), indent=2).decode()
        message.set_content(f"{alert.text}\n\n{details}\n")
        return message
