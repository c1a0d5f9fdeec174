"""The views over HTTP: lists by pages, single contracts and claims, histories, downloads, a calendar."""
