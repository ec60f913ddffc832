"""Settings: read once at the top, frozen, passed down."""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

PORT = 8626
"""TOBO on a telephone's keys."""

EMBEDDED = "embedded"
"""TOBO_MQTT for a broker inside the server."""

BROKER_PORT = 8883
"""MQTT's over TLS (IANA)."""


@dataclass(frozen=True)
class Settings:
    """What an administrator chooses. Environment variables start with TOBO_."""

    state: Path
    host: str = "127.0.0.1"
    port: int = PORT
    tls_port: int | None = None
    """Where TLS is served, too; None: where `tobo configure` chose, if it did. Devices need it."""
    account_id: str | None = None
    """First account; None: drawn at the first start and kept in the state folder."""
    root_access_key_id: str | None = None
    root_secret_access_key: str | None = None
    cpus: float | None = None
    """Size of the machine as jobs see it; None: what the system says."""
    memory_bytes: int | None = None
    serverless_idle_seconds: float = 300.0
    """After how long without a request a serverless variant gives its replicas back."""
    scaling_period_seconds: float = 10.0
    """How often autoscaling looks at a variant; its policies' metrics are those of the last 3 and 15 periods."""
    max_instances: int = 20
    """What one endpoint, all its variants together, or one job may have: AWS's default quota."""
    queue_length: int = 200
    """Requests to a variant that may wait for an instance; more are refused."""
    queue_seconds: float = 10.0
    """How long a request may wait for an instance."""
    warm: bool = True
    """Keep a warm parent with torch loaded, so that built-in algorithms start in milliseconds."""
    pretrained: str | None = None
    """TOBO_PRETRAINED: where training jobs look for pretrained weights before they take those that tobo brings."""

    aarch64_root: Path | None = None
    """An arm64 system, as tools/arm64_root.py makes one, in which compilation jobs try what they compile for arm64."""

    notification_webhook: str | None = None
    """http(s) address that notifications of asynchronous inference and of alarms are posted to."""
    smtp: str | None = None
    """smtp[s]://[user:password@]host[:port][?from=address] of the server that e-mail notifications are sent by."""
    mqtt: str | None = None
    """mqtt://host:port or mqtts://host:port of the broker over which devices are told to poll at once; None: they poll.

    embedded:port is a broker of the server's own, which puts its address here when it starts.
    """
    metrics_token: str | None = None
    """The Bearer token of GET /metrics; None: it is answered to this machine alone."""
    deployment_timeout_seconds: float = 86_400.0
    """After how long without an answer of a device its deployment has failed."""

    machine_cost: float = 0.0
    """What this machine cost, in US dollars; with the next three it gives the price of its hours."""
    machine_years: float = 4.0
    """How long it lives."""
    machine_watts: float = 0.0
    """What it draws from the wall, on average."""
    kwh_cost: float = 0.0
    """US dollars a kilowatt-hour."""

    default_alarms: bool = True
    """Whether endpoints, fleets and the machine are born with alarms."""
    notebook_url: str | None = None
    """Where browsers find notebooks, e.g. https://{name}.notebook.{region}.factory.lan; None: names below localhost."""
    notebook_idle_minutes: float | None = None
    """After how many minutes without work every notebook instance is stopped, whatever its tags say; None: as they say."""
    notebook_stop_at: str | None = None
    """A time of day, HH:MM of the server's clock, at which every notebook instance is stopped."""

    audit_data: bool = False
    """Whether data events (objects, log lines, metric points, invocations, heartbeats) are in the audit log, too."""

    def reached(self, port: int) -> str:
        """host:port of one of the server's ports, as its certificate names the host."""
        host = {"0.0.0.0": "127.0.0.1", "::": "localhost"}.get(self.host, self.host)
        return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"

    @property
    def broker_port(self) -> int | None:
        """That of the embedded broker, 0 for a free one; None where there is none."""
        kind, _, port = (self.mqtt or "").partition(":")
        return int(port) if kind == EMBEDDED else None

    @classmethod
    def read(cls, environment: Mapping[str, str] = os.environ, **chosen: object) -> "Settings":
        """Environment under what the command line chose (None: not chosen)."""
        found: dict[str, object] = {"state": Path(environment.get("TOBO_STATE", ".tobo"))}
        for name, variable, kind in (
            ("host", "TOBO_HOST", str),
            ("port", "TOBO_PORT", int),
            ("tls_port", "TOBO_TLS_PORT", int),
            ("account_id", "TOBO_ACCOUNT_ID", str),
            ("root_access_key_id", "TOBO_ROOT_ACCESS_KEY_ID", str),
            ("root_secret_access_key", "TOBO_ROOT_SECRET_ACCESS_KEY", str),
            ("cpus", "TOBO_CPUS", float),
            ("memory_bytes", "TOBO_MEMORY_BYTES", int),
            ("warm", "TOBO_WARM", lambda text: text not in ("0", "false", "no")),
            ("serverless_idle_seconds", "TOBO_SERVERLESS_IDLE_SECONDS", float),
            ("scaling_period_seconds", "TOBO_SCALING_PERIOD_SECONDS", positive_number),
            ("max_instances", "TOBO_MAX_INSTANCES", int),
            ("queue_length", "TOBO_QUEUE_LENGTH", int),
            ("queue_seconds", "TOBO_QUEUE_SECONDS", positive_number),
            ("pretrained", "TOBO_PRETRAINED", str),
            ("aarch64_root", "TOBO_AARCH64_ROOT", lambda text: Path(text).expanduser().absolute()),
            ("notification_webhook", "TOBO_NOTIFICATION_WEBHOOK", str),
            ("smtp", "TOBO_SMTP", smtp_address),
            ("metrics_token", "TOBO_METRICS_TOKEN", str),
            ("mqtt", "TOBO_MQTT", broker_address),
            ("default_alarms", "TOBO_DEFAULT_ALARMS", lambda text: text not in ("0", "false", "no")),
            ("notebook_url", "TOBO_NOTEBOOK_URL", notebook_address),
            ("notebook_idle_minutes", "TOBO_NOTEBOOK_IDLE_MINUTES", positive_number),
            ("notebook_stop_at", "TOBO_NOTEBOOK_STOP_AT", time_of_day),
            ("audit_data", "TOBO_AUDIT_DATA", lambda text: text not in ("0", "false", "no")),
            ("machine_cost", "TOBO_MACHINE_COST", positive_number),
            ("machine_years", "TOBO_MACHINE_YEARS", positive_number),
            ("machine_watts", "TOBO_MACHINE_WATTS", positive_number),
            ("kwh_cost", "TOBO_KWH_COST", positive_number),
            ("deployment_timeout_seconds", "TOBO_DEPLOYMENT_TIMEOUT_SECONDS", positive_number),
        ):
            if value := environment.get(variable):
                try:
                    found[name] = kind(value)
                except ValueError:
                    raise SystemExit(f"{variable}={value!r} cannot be read; expected {kind.__name__}.") from None
        found.update({name: value for name, value in chosen.items() if value is not None})
        # Jobs and replicas work in folders of their own: a relative path would lead elsewhere there.
        found["state"] = Path(str(found["state"])).expanduser().absolute()
        if "pretrained" in found:
            found["pretrained"] = absolute_source(str(found["pretrained"]))
        return cls(**found)  # type: ignore[arg-type]


def positive_number(text: str) -> float:
    """Raises ValueError for what is none."""
    number = float(text)
    if not 0 < number < float("inf"):
        raise ValueError(text)
    return number


def smtp_address(text: str) -> str:
    """Raises ValueError for what is no smtp:// or smtps:// address of a host."""
    parts = urlsplit(text)
    if parts.scheme not in ("smtp", "smtps") or not parts.hostname or (parts.port or 1) < 1:
        raise ValueError(text)
    return text


def broker_address(text: str) -> str:
    """mqtt[s]://host:port or embedded[:port] with its port; raises ValueError for what is none."""
    if text == EMBEDDED:
        return f"{EMBEDDED}:{BROKER_PORT}"
    kind, _, number = text.partition(":")
    if kind == EMBEDDED and number.isdigit() and int(number) <= 65535:
        return text
    scheme, _, rest = text.partition("://")
    host, _, port = rest.rpartition(":")
    if scheme not in ("mqtt", "mqtts") or not host or not port.isdigit():
        raise ValueError(text)
    return text


def notebook_address(text: str) -> str:
    """An http or https origin whose host has {name} and {region}; raises ValueError for what is none."""
    try:
        found = urlsplit(text.format(name="name", region="region"))
    except (KeyError, IndexError):
        raise ValueError(text) from None
    labels = (found.hostname or "").split(".")
    if found.scheme not in ("http", "https") or not {"name", "region"} <= set(labels) or found.path:
        raise ValueError(text)
    return text


def time_of_day(text: str) -> str:
    """HH:MM; raises ValueError for what is none."""
    if not re.fullmatch(r"([01]?\d|2[0-3]):[0-5]\d", text):
        raise ValueError(text)
    return text


def absolute_source(source: str) -> str:
    """A path as seen from everywhere; an s3:// address, a hub name and `formula` stay what they are."""
    path = Path(source).expanduser()
    return str(path.absolute()) if path.exists() or path.is_absolute() else source
