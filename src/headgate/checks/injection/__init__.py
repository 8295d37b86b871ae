"""Defences against instructions that come with the data, each by itself and pure."""
