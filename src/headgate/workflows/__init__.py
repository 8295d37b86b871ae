"""A workflow is a folder; a run carries one input through it. This room loads and runs them."""
