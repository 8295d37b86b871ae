"""Multipart forms, which carry files: followed as their bytes go by, never whole in memory."""

from headgate.gateway.forms.reader import FormField, FormReader, boundary_of
from headgate.gateway.forms.spool import SpooledForm, SpoolRoom, spool

__all__ = ["FormField", "FormReader", "SpoolRoom", "SpooledForm", "boundary_of", "spool"]
