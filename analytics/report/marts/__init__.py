"""What the pages read: the SQL of the reports, and the types of its rows."""
