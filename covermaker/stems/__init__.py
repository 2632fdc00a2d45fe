"""stems."""
