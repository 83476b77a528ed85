"""What is published, read: ad hoc SQL, explanations, freshness, the summary of a batch."""
