"""FOCUS, the FinOps Foundation's format for cost and usage: a month's bill for FinOps tools.

A module for each dataset of version 1.4; https://focus.finops.org
"""
