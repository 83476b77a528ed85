"""How runs come about and work: what starts them, what they do, what they leave."""
