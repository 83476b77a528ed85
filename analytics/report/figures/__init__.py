"""From rows to figures: agents and workspaces by day, their periods and their splits."""
