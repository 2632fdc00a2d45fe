"""Sound as arrays and files. No machine learning, no UI."""
