"""The site: what the views say, for people in a browser, and the forms that send commands."""
