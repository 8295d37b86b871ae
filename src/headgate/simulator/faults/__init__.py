"""What goes wrong on purpose: the kinds of faults, how they are written and when they strike."""
