"""The endpoints of the OpenAI API that the simulator has, one file each."""
