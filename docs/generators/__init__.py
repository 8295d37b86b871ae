"""One module a reference page; each has `page()`, which returns the page's Markdown."""
