"""The parts of pages: charts and tables, each an answer to a question."""
