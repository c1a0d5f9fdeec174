"""The site's languages: English as it is written in code and templates, Dutch and French from catalogues."""
