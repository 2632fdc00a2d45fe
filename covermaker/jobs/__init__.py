"""Heavy work as a child process that speaks JSON lines."""
