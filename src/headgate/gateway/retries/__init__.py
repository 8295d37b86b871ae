"""Whether a provider is asked again, where, and when. Pure: no clock."""
