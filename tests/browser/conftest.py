"""The browser's fixtures, for every test of this folder."""

from browser.running import chromium, open_site, site

__all__ = ["chromium", "open_site", "site"]
