"""Whether what `headgate.yaml` says makes sense beyond the type of each field: one file a block."""
