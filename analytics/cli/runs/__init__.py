"""`analytics runs`: the Runs guide from the shell."""
