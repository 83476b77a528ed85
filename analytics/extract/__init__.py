"""Extract: reads a workspace's new and changed records from the API into landing files."""
