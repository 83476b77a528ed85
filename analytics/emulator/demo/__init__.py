"""The demo: two made-up companies, their agents, what happens to them, and their finance files."""
