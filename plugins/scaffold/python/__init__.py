"""The plugin starter of Jupiter."""
