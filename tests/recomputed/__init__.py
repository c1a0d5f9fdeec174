"""Every view, added up a second time from the raw events: JSON in, rows out.

Written from the pages that say what the views mean, it shares no code with the domain and none with the
views: not their events' classes, not their states, not their policies. Calendar and figures are `oracle`'s.
"""
