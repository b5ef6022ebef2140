"""What is asked of a text by who writes it: plain functions, without a server."""
