"""The command line, `headgate …`: one file a command group."""
