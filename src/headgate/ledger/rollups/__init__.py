"""Usage rolled up by slots of time in the background, so that a page of figures is quick."""
