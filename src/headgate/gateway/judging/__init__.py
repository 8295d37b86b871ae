"""A model that judges the texts about which the injection detector is in doubt."""
