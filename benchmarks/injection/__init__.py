"""How often attacks on a model succeed with no defence, with each, and with all of them."""
