"""The reports: a folder of static pages, built from the schema `reports` alone."""
