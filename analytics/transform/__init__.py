"""Transform: builds the models of `queries/` into marts, and runs the checks on them."""
