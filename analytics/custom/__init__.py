"""The user's own: marts, checks and questions of the project folder, and its finance files."""
