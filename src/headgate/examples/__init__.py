"""The project that `headgate init` writes: three finished workflows and inputs to try them on."""
