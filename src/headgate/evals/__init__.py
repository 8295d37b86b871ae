"""How well a workflow does its work, and how well it withstands attacks."""
