"""What providers keep for a project, such as files, batches and vector stores.

Whose each is, and the way of a request about one: no call to a model, and yet the same way.
"""
