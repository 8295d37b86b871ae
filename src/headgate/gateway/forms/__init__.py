"""Multipart forms, which carry files: followed as their bytes go by, never whole in memory."""

from headgate.gateway.forms.reader import FormField, FormFile, FormReader, boundary_of
from headgate.gateway.forms.spool import SpooledForm, spool
from headgate.gateway.forms.spooled_bytes import SpooledBytes, SpoolRoom

__all__ = [
    "FormField",
    "FormFile",
    "FormReader",
    "SpoolRoom",
    "SpooledBytes",
    "SpooledForm",
    "boundary_of",
    "spool",
]
