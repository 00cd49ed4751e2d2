"""Who still says a name: in code, documents and data, in any of its forms, inside the tests' root and beside it."""
