"""Things, their certificates and role aliases (the part of AWS IoT by which devices prove who they are)."""

from tobo.resources.things import api, certificates, credentials, principals, role_aliases

__all__ = ["api", "certificates", "credentials", "principals", "role_aliases"]
