"""The reports: a folder of static pages, built from the tables and the queries of `reports/`."""
