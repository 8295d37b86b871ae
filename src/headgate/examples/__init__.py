"""The project that `headgate init` writes: four finished workflows and inputs to try them on."""
