"""Rows of a view as a file for other programs: CSV, XLSX, Parquet, and due dates as a calendar.

All of them are written row by row, in constant memory. Nothing here knows of a database or a command line.
"""
