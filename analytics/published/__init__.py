"""What is published, read: ad hoc SQL, freshness, the summary of a night."""
