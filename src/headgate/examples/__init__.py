"""The project that `headgate init` writes: two finished workflows and inputs to try them on."""
