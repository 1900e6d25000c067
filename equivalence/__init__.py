"""Run the same program everywhere, judge it, find where it parts, report."""
