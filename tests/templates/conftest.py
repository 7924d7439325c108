"""A workspace with everything that the templates for documents use: uploads, a database elsewhere, models."""

from datastores.conftest import target, target_url, warehouse
from documents.conftest import files, small
from models.conftest import libraries, server, shop

__all__ = ["files", "libraries", "server", "shop", "small", "target", "target_url", "warehouse"]
