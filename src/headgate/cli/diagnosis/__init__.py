"""What `headgate doctor` looks at, one file each: what a server here needs in order to work."""
