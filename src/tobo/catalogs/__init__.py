"""Catalogues: where models are offered, a folder or an S3 address that sellers and buyers share. The promise is in base.py."""

from tobo.catalogs.base import Catalog, CatalogError, Missing
from tobo.catalogs.opening import Address, open_catalog

__all__ = ["Address", "Catalog", "CatalogError", "Missing", "open_catalog"]
