"""The user's own: tables, checks, questions, alerts and pages of the project folder."""
