"""The pages of all workspaces, of one, and of an agent, put together from sections."""
