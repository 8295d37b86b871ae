"""`python -m headgate`: the same as the command `headgate`."""

from headgate.app import main

main()
