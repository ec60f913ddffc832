"""Letters: e-mail by the server of TOBO_SMTP, `smtp[s]://[user:password@]host[:port][?from=address]`."""

import smtplib
import ssl
from email.message import EmailMessage
from email.utils import formataddr, formatdate, make_msgid
from urllib.parse import parse_qs, unquote, urlsplit

from tobo.settings import Settings

SECONDS = 5.0
"""For the server to answer."""


def send_letter(settings: Settings, to: str, subject: str, text: str, name: str = "") -> None:
    """`name` is who it is from in words. smtp:// goes on in TLS where that is offered. Raises OSError (SMTPException is one)."""
    if settings.smtp is None:
        raise OSError("the server has no TOBO_SMTP")
    at = urlsplit(settings.smtp)
    host, secure = at.hostname or "localhost", at.scheme == "smtps"
    sender = parse_qs(at.query).get("from", [f"tobo@{host}"])[0]
    letter = EmailMessage()
    letter["Subject"], letter["From"], letter["To"] = subject, formataddr((name or "tobo notifications", sender)), to
    letter["Date"], letter["Message-ID"] = formatdate(), make_msgid()
    letter.set_content(text)
    kind = smtplib.SMTP_SSL if secure else smtplib.SMTP
    with kind(host, at.port or (465 if secure else 25), timeout=SECONDS) as server:
        server.ehlo_or_helo_if_needed()
        if server.has_extn("starttls"):
            server.starttls(context=ssl.create_default_context())
        if at.username:
            server.login(unquote(at.username), unquote(at.password or ""))
        server.send_message(letter, sender, [to])
